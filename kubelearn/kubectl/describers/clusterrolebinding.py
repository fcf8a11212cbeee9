"""Cluster role bindings: as role bindings."""

from __future__ import annotations

from kubelearn.kubectl.describers import rolebinding
from kubelearn.kubectl.describers._writer import Describer

DESCRIBER = Describer(rolebinding.write, events=False)
