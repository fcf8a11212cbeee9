"""namespaces/finalize: the namespace controller says that it has emptied it."""

from __future__ import annotations

from kubelearn.apiserver.subresources._part import part

SUBRESOURCE = part(("update",))
