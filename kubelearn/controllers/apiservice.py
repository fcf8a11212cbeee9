"""An APIService for each group version that is served, custom ones included.

In Kubernetes these are kube-apiserver's and kube-aggregator's autoregistration (pkg/controllers/autoregister).
Source: Kubernetes' staging/src/k8s.io/kube-aggregator/pkg/controllers.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import priorities
from kubelearn.api.kinds import apiservice, customresourcedefinition
from kubelearn.api.resource import Obj
from kubelearn.client.discovery import discover
from kubelearn.controllers.base import Controller, ControllerContext, Watch
from kubelearn.trace import cause

SERVICES, CRDS = apiservice.RESOURCE, customresourcedefinition.RESOURCE
_AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
_ALL = "all"
_GA, _CUSTOM_VERSION = 15, 100


async def setup(context: ControllerContext) -> None:
    context.queue.add(_ALL, None)


def _changed(_context: ControllerContext, _type: str, _old: Obj | None, _new: Obj) -> Iterable[str]:
    return (_ALL,)


async def reconcile(context: ControllerContext, key: str) -> None:
    assert key == _ALL
    custom = {c["spec"]["group"] for c in context.informer(CRDS).items()}
    wanted = {s["metadata"]["name"]: s for s in await _served(context, custom)}
    here = {s["metadata"]["name"]: s for s in context.informer(SERVICES).items()}
    for name in here.keys() - wanted.keys():
        if (here[name]["metadata"].get("labels") or {}).get(_AUTOMANAGED):
            cause.add_note(reconcile=f"{name} is served no more")
            await context.delete(SERVICES, here[name])
    for name in wanted.keys() - here.keys():
        cause.add_note(reconcile=f"{name} is served")
        here[name] = await context.create(SERVICES, wanted[name])
    for found in here.values():
        if not (found.get("status") or {}).get("conditions") and found["metadata"]["name"] in wanted:
            await _available(context, found)


async def _served(context: ControllerContext, custom: set[str]) -> list[Obj]:
    group_versions = dict.fromkeys((r.group, r.version) for r in (await discover(context.client)).all())
    out = []
    for group, version in group_versions:
        of_users = group in custom
        spec = {
            "version": version,
            "groupPriorityMinimum": priorities.of_group(group),
            "versionPriority": _CUSTOM_VERSION if of_users else _GA,
            **({"group": group} if group else {}),
        }
        labels = {_AUTOMANAGED: "true" if of_users else "onstart"}
        out.append({"metadata": {"name": f"{version}.{group}", "labels": labels}, "spec": spec})
    return out


async def _available(context: ControllerContext, found: Obj) -> None:
    condition = {
        "type": "Available",
        "status": "True",
        "lastTransitionTime": context.timestamp(),
        "reason": "Local",
        "message": "Local APIServices are always available",
    }
    await context.update(SERVICES, {**found, "status": {"conditions": [condition]}}, "status")


CONTROLLER = Controller(
    "apiservice-registration-controller", (Watch(SERVICES, _changed), Watch(CRDS, _changed)), reconcile, workers=1,
    setup=setup,
)  # fmt: skip
