"""The gate's buttons: hold all, let all go on, deliver the oldest event. Over the API, as any client would."""

from __future__ import annotations

from kubelearn.client.rest import Client
from kubelearn.graph.renderer import Waiting, next_events
from kubelearn.graph.snapshot import GATES, Snapshot


async def hold_all(client: Client, *, paused: bool) -> None:
    for gate in (await client.list(GATES))["items"]:
        if bool(gate.get("spec", {}).get("paused")) != paused:
            patch = {"spec": {"paused": paused}}
            await client.patch(GATES, gate["metadata"]["name"], "", patch, "application/merge-patch+json")


async def step(client: Client) -> Waiting | None:
    """Deliver the oldest event that any component waits for, and say which; None when nothing waits."""
    gates = (await client.list(GATES))["items"]
    waiting = next_events(Snapshot({GATES.group_resource: gates}))
    if not waiting:
        return None
    await client.create(GATES, {"count": 1}, name=waiting[0].component, subresource="step")
    return waiting[0]
