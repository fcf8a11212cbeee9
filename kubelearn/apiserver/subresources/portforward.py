"""pods/portforward, served by the HTTP edge."""

from __future__ import annotations

from kubelearn.apiserver.subresources._upgrade import upgraded

SUBRESOURCE = upgraded("PodPortForwardOptions")
