"""pods/resize: listed, not served yet."""

from __future__ import annotations

from kubelearn.apiserver.subresources._unserved import unserved

SUBRESOURCE = unserved()
