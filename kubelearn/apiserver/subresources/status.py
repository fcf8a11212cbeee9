"""The status subresource: what components report, apart from what people want."""

from __future__ import annotations

from kubelearn.apiserver.subresources._part import part

SUBRESOURCE = part(("get", "patch", "update"))
