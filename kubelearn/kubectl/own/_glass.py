"""What the glass-box commands share: reading spans and gates, and wording them."""

from __future__ import annotations

from datetime import datetime

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.trace.chain import Span, from_object

SPANS = Resource("kubelearn.dev", "v1alpha1", "Span", "spans", "span", False)
GATES = Resource("kubelearn.dev", "v1alpha1", "Gate", "gates", "gate", False)
_ALIASES = {"scheduler": "kube-scheduler", "rs": "replicaset-controller", "deployment": "deployment-controller"}


async def spans(client: Client) -> list[Span]:
    """All that is recorded, oldest first. Raises KubelearnError on a cluster that records no causes."""
    try:
        found = await client.list(SPANS)
    except ApiError as error:
        raise _foreign(error) from error
    return [from_object(o) for o in found["items"]]


async def gates(client: Client) -> list[Obj]:
    """Every component's gate. Raises KubelearnError on a cluster without."""
    try:
        items: list[Obj] = (await client.list(GATES))["items"]
    except ApiError as error:
        raise _foreign(error) from error
    return items


def _foreign(error: ApiError) -> Exception:
    if error.code != 404:
        return error
    return KubelearnError(
        "this cluster is not kubelearn's: it records no causes and has no gate",
        "see what it can tell: kubectl get events",
    )


async def pause(client: Client, names: list[str], *, paused: bool) -> list[str]:
    """Hold or release components (all when none is named); gives their full names."""
    known = [g["metadata"]["name"] for g in await gates(client)]
    chosen = [component(n, known) for n in names] or known
    for name in chosen:
        patch = {"spec": {"paused": paused}}
        await client.patch(GATES, name, "", patch, "application/merge-patch+json")
    return chosen


def component(name: str, known: list[str]) -> str:
    """The full name of a component; raises KubelearnError for one that nobody has seen."""
    full = _ALIASES.get(name, name)
    if full in known:
        return full
    raise KubelearnError(f'no component "{name}"', f"components: {', '.join(sorted(known))}")


def clock_time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def since(seconds: float) -> str:
    """`+   41 ms`, `+  2.13 s`."""
    return f"+{seconds * 1000:>6.0f} ms" if seconds < 10 else f"+{seconds:>7.2f} s"


def subject(span: Span) -> str:
    return f"{span.group_resource.partition('.')[0]}/{span.name}"


def event_text(waiting: Obj) -> str:
    return f"{waiting['resource'].partition('.')[0]}/{waiting['name']} {waiting['type']} (r{waiting['revision']})"
