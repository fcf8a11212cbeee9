"""ReplicaSet: the pods of one version of a Deployment, or of nobody's."""

from __future__ import annotations

from kubelearn.controllers import _replicas
from kubelearn.controllers.base import REPLICASETS

CONTROLLER = _replicas.controller("replicaset-controller", REPLICASETS)
