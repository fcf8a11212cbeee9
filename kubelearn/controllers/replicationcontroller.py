"""ReplicationController: what ReplicaSets came from; it selects by a plain map of labels and is otherwise one."""

from __future__ import annotations

from kubelearn.api.resource import Resource
from kubelearn.controllers import _replicas

REPLICATIONCONTROLLERS = Resource(
    "", "v1", "ReplicationController", "replicationcontrollers", "replicationcontroller", True
)
CONTROLLER = _replicas.controller("replication-controller", REPLICATIONCONTROLLERS)
