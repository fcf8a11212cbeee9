"""What roles share, and what bindings share."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.client.discovery import NoMatch
from kubelearn.kubectl import resources
from kubelearn.kubectl.failures import CommandError, PlainError
from kubelearn.kubectl.verb import Context, Flag, Parsed

API = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
_VERBS = {
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "escalate",
    "impersonate", "proxy", "approve", "sign", "attest", "*",
}  # fmt: skip

ROLE = (
    Flag("verb", kind="strings", help="what may be done: get, list, watch, create … (repeatable)"),
    Flag("resource", kind="strings", help="types, e.g. pods, pods/log, deployments.apps (repeatable)"),
    Flag("resource-name", kind="array", help="only objects of this name (repeatable)"),
)
SUBJECTS = (
    Flag("user", kind="array", help="a user (repeatable)"),
    Flag("group", kind="array", help="a group (repeatable)"),
    Flag("serviceaccount", kind="array", help="NAMESPACE:NAME of a service account (repeatable)"),
)


def verbs(parsed: Parsed) -> list[str]:
    found = list(dict.fromkeys(parsed["verb"]))
    if not found:
        raise CommandError("at least one verb must be specified")
    return ["*"] if "*" in found else found


async def rules(ctx: Context, parsed: Parsed, allowed: list[str]) -> list[Obj]:
    """One rule per API group, in the order in which the groups are first named."""
    if not parsed["resource"]:
        raise CommandError("at least one resource must be specified")
    for verb in allowed:
        if verb not in _VERBS:
            ctx.err(f"Warning: '{verb}' is not a standard resource verb\n")
    by_group: dict[str, list[str]] = {}
    for word in parsed["resource"]:
        name, slash, sub = word.partition("/")
        if not name:
            raise CommandError("resource must be specified if apiGroup/subresource specified")
        group, plural = ("", "*") if name == "*" else await _known(ctx, name)
        of_group = by_group.setdefault(group, [])
        shown = plural + slash + sub
        if shown not in of_group:
            of_group.append(shown)
    named = {"resourceNames": parsed["resource-name"]} if parsed["resource-name"] else {}
    return [{"verbs": allowed, "apiGroups": [g], "resources": r, **named} for g, r in by_group.items()]


async def _known(ctx: Context, word: str) -> tuple[str, str]:
    try:
        found = await resources.find(ctx, word)
    except NoMatch as error:
        raise PlainError(error.message) from error
    return found.group, found.plural


def subjects(parsed: Parsed) -> list[Obj]:
    found: list[Obj] = [{"kind": "User", "apiGroup": GROUP, "name": name} for name in parsed["user"]]
    found += [{"kind": "Group", "apiGroup": GROUP, "name": name} for name in parsed["group"]]
    for text in parsed["serviceaccount"]:
        namespace, colon, name = text.partition(":")
        if not (namespace and colon and name) or ":" in name:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        found.append({"kind": "ServiceAccount", "namespace": namespace, "name": name})
    return found


def binding(kind: str, name: str, role_kind: str, role: str, parsed: Parsed) -> Obj:
    who = subjects(parsed)
    return {
        "kind": kind,
        "apiVersion": API,
        "metadata": {"name": name},
        **({"subjects": who} if who else {}),
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
    }
