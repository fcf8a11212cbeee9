"""`create clusterrole`."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.generators import _rbac
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_URL_VERBS = ("get", "post", "put", "delete", "patch", "head", "options", "*")


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create clusterrole")
    obj: dict[str, Any] = {"kind": "ClusterRole", "apiVersion": _rbac.API, "metadata": {"name": name}}
    if parsed["aggregation-rule"]:
        obj |= {"rules": None, "aggregationRule": _aggregation(parsed)}
    else:
        obj["rules"] = await _rules(ctx, parsed)
    await creating.make(ctx, parsed, obj, namespaced=False)
    return 0


def _aggregation(parsed: Parsed) -> Obj:
    if any(parsed[flag] for flag in ("verb", "resource", "resource-name", "non-resource-url")):
        raise CommandError(
            "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames"
        )
    labels = dict(creating.key_values(parsed["aggregation-rule"].split(","), "aggregation rule"))
    return {"clusterRoleSelectors": [{"matchLabels": labels}]}


async def _rules(ctx: Context, parsed: Parsed) -> list[Obj]:
    verbs, urls = _rbac.verbs(parsed), parsed["non-resource-url"]
    rules = [] if urls and not parsed["resource"] else await _rbac.rules(ctx, parsed, verbs)
    for url in urls:
        if not url.startswith("/"):
            raise CommandError("nonResourceURL should start with /")
    for verb in verbs if urls else ():
        if verb not in _URL_VERBS:
            raise CommandError(f"invalid verb: '{verb}' for nonResourceURL")
    return rules + ([{"verbs": verbs, "nonResourceURLs": urls}] if urls else [])


VERB = Verb(
    name="clusterrole",
    summary="Create a cluster role",
    usage="create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename]",
    examples="# May look at nodes\nkubectl create clusterrole watcher --verb=get,list --resource=nodes",
    flags=(
        *creating.flags(),
        *_rbac.ROLE,
        Flag("non-resource-url", kind="strings", help="a path such as /healthz, or /logs/* (repeatable)"),
        Flag("aggregation-rule", help="KEY=VALUE labels of the roles to put together"),
    ),
    run=run,
)
