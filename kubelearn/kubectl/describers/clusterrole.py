"""Cluster roles: as roles."""

from __future__ import annotations

from kubelearn.kubectl.describers import role
from kubelearn.kubectl.describers._writer import Describer

DESCRIBER = Describer(role.write, events=False)
