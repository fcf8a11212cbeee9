"""What roles and bindings have in common (rbac/validation)."""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, required, subdomain, unsupported
from kubelearn.api.resource import Obj

GROUP = "rbac.authorization.k8s.io"


def default_role(obj: Obj) -> None:
    """Go writes the rules even when there are none."""
    obj.setdefault("rules", None)


def rules(found: list[Obj], *, namespaced: bool) -> Errors:
    out: Errors = []
    for index, rule in enumerate(found):
        path = f"rules[{index}]"
        if not r.strings(rule, "verbs"):
            out.append(required(f"{path}.verbs", "verbs must contain at least one value"))
        if urls := r.strings(rule, "nonResourceURLs"):
            where = f"{path}.nonResourceURLs"
            if namespaced:
                out.append(invalid(where, urls, "namespaced rules cannot apply to non-resource URLs"))
            if any(r.strings(rule, key) for key in ("apiGroups", "resources", "resourceNames")):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                out.append(invalid(where, urls, text))
            continue
        if not r.strings(rule, "apiGroups"):
            out.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
        if not r.strings(rule, "resources"):
            out.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return out


def default_binding(obj: Obj) -> None:
    r.fill_text(r.ensure(obj, "roleRef"), "apiGroup", GROUP)
    for subject in r.objects(obj, "subjects"):
        if r.text(subject, "kind") in ("User", "Group"):
            r.fill_text(subject, "apiGroup", GROUP)


def _subject(path: str, subject: Obj, *, namespaced: bool) -> Errors:
    kind, name, group = (r.text(subject, key) for key in ("kind", "name", "apiGroup"))
    out: Errors = [] if name else [required(f"{path}.name")]
    if kind == "ServiceAccount":
        if name:
            out += subdomain(f"{path}.name", name)
        if group:
            out.append(unsupported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not r.text(subject, "namespace"):
            out.append(required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        if not name:
            out.append(invalid(f"{path}.name", name, f"{kind.lower()} name cannot be empty"))
        if group != GROUP:
            out.append(unsupported(f"{path}.apiGroup", group, (GROUP,)))
    else:
        out.append(unsupported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group")))
    return out


def binding(obj: Obj, kinds: tuple[str, ...], *, namespaced: bool) -> Errors:
    """`kinds` are those that the roleRef may name."""
    reference = r.mapping(obj, "roleRef")
    group, kind, name = (r.text(reference, key) for key in ("apiGroup", "kind", "name"))
    out: Errors = [] if group == GROUP else [unsupported("roleRef.apiGroup", group, (GROUP,))]
    if kind not in kinds:
        out.append(unsupported("roleRef.kind", kind, kinds))
    if name:
        out += all_invalid("roleRef.name", name, names.path_segment(name))
    else:
        out.append(required("roleRef.name"))
    for index, subject in enumerate(r.objects(obj, "subjects")):
        out += _subject(f"subjects[{index}]", subject, namespaced=namespaced)
    return out


def same_role(new: Obj, old: Obj) -> list[FieldError]:
    now, before = r.mapping(new, "roleRef"), r.mapping(old, "roleRef")
    if now == before:
        return []
    shown = {go: r.text(now, key) for go, key in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))}
    return [invalid("roleRef", shown, "cannot change roleRef")]


def _role(obj: Obj) -> str:
    reference = r.mapping(obj, "roleRef")
    return f"{r.text(reference, 'kind')}/{r.text(reference, 'name')}"


def _subjects(kind: str) -> Callable[[Obj], str]:
    def cell(obj: Obj) -> str:
        found = [s for s in r.objects(obj, "subjects") if r.text(s, "kind") == kind]
        spelt = [f"{r.text(s, 'namespace')}/" if kind == "ServiceAccount" else "" for s in found]
        return ", ".join(prefix + r.text(s, "name") for prefix, s in zip(spelt, found, strict=True))

    return cell


BINDING_COLUMNS = (
    NAME,
    Column("Role", _role, description="The role that is granted."),
    AGE,
    Column("Users", _subjects("User"), priority=1, description="Users that it is granted to."),
    Column("Groups", _subjects("Group"), priority=1, description="Groups that it is granted to."),
    Column("ServiceAccounts", _subjects("ServiceAccount"), priority=1, description="Accounts that it is granted to."),
)
