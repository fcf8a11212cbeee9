"""What the control plane does about its engine: says on every Node what is wrong, and starts again what died with it."""

from __future__ import annotations

import logging

from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.informer import Informer
from kubelearn.engines.base import Engine
from kubelearn.kit.errors import KubelearnError

log = logging.getLogger(__name__)


async def revive(engine: Engine) -> list[str]:
    """Start the nodes that ended without a drill; those that were switched off stay off. Raises KubelearnError."""
    dead = [node.name for node in await engine.list_nodes() if node.state == "dead"]
    for name in dead:
        await engine.start_node(name)
        log.info("node %s had died; it is started again", name)
    return dead


async def watch(engine: Engine, nodes: Informer, recorder: EventRecorder) -> None:
    """Runs for ever. Whether a node is Ready is for its kubelet, or its silence, to say; the Events say why."""
    async for problem in engine.health():
        if problem:
            await _tell(nodes.items(), recorder, "Warning", "ContainerRuntimeDown", problem)
            continue
        try:
            await revive(engine)
        except KubelearnError as error:
            log.warning("cannot start the nodes again: %s", error)
        else:
            await _tell(
                nodes.items(), recorder, "Normal", "ContainerRuntimeBack", "The container runtime answers again"
            )


async def _tell(nodes: list[Obj], recorder: EventRecorder, type_: str, reason: str, message: str) -> None:
    for node in nodes:
        name = node["metadata"]["name"]  # also as uid: so a kubelet refers to its node, and so `describe` finds it
        about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
        await recorder.event(about, type_, reason, message)
