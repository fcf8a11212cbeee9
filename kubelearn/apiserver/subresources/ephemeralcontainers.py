"""pods/ephemeralcontainers: containers for debugging, added to a pod that runs."""

from __future__ import annotations

from kubelearn.apiserver.subresources._part import part

SUBRESOURCE = part(("get", "patch", "update"))
