"""What the kinds of admissionregistration.k8s.io have in common: which requests they are about.

Source: Kubernetes' pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from kubelearn.api import cel, names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, duplicate, invalid, required, unsupported
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj

GROUP = "admissionregistration.k8s.io"
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_POLICIES = ("Equivalent", "Exact")


def default_match(found: Obj) -> None:
    r.fill(found, "matchPolicy", "Equivalent")
    r.ensure(found, "namespaceSelector")
    r.ensure(found, "objectSelector")
    for rule in r.objects(found, "resourceRules") + r.objects(found, "excludeResourceRules"):
        r.fill(rule, "scope", "*")


def match_resources(path: str, found: Obj) -> Errors:
    policy = r.text(found, "matchPolicy")
    out: Errors = [] if policy in _POLICIES else [unsupported(f"{path}.matchPolicy", policy, _POLICIES)]
    for key in ("namespaceSelector", "objectSelector"):
        out += label_selector(f"{path}.{key}", r.mapping(found, key))
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(r.objects(found, key)):
            out += _rule(f"{path}.{key}[{index}]", rule)
    return out


def _rule(path: str, rule: Obj) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, name in enumerate(r.strings(rule, "resourceNames")):
        where = f"{path}.resourceNames[{index}]"
        out += all_invalid(where, name, names.path_segment(name))
        if name in seen:
            out.append(duplicate(where, name))
        seen.add(name)
    out += _operations(f"{path}.operations", r.strings(rule, "operations"))
    out += _words(f"{path}.apiGroups", r.strings(rule, "apiGroups"), "API groups")
    versions = r.strings(rule, "apiVersions")
    out += _words(f"{path}.apiVersions", versions, "API versions")
    out += [required(f"{path}.apiVersions[{i}]") for i, version in enumerate(versions) if not version]
    out += _resources(f"{path}.resources", r.strings(rule, "resources"))
    scope = r.text(rule, "scope")
    if scope not in _SCOPES:
        out.append(unsupported(f"{path}.scope", scope, _SCOPES))
    return out


def _operations(path: str, found: list[str]) -> Errors:
    out = _words(path, found, "operations")
    for index, operation in enumerate(found):
        if operation not in _OPERATIONS:
            out.append(unsupported(f"{path}[{index}]", operation, _OPERATIONS))
    return out


def _words(path: str, found: list[str], what: str) -> Errors:
    if not found:
        return [required(path)]
    if len(found) > 1 and "*" in found:
        return [invalid(path, found, f"if '*' is present, must not specify other {what}")]
    return []


def _resources(path: str, found: list[str]) -> Errors:
    """`pods`, `pods/status`, `pods/*`, `*/scale`, `*`, `*/*`, and none that another one has already."""
    out: Errors = [] if found else [required(path)]
    of_resource: set[str] = set()
    of_any: set[str] = set()
    for index, text in enumerate(found):
        where = f"{path}[{index}]"
        resource, slash, sub = text.partition("/")
        if not text:
            out.append(required(where))
        if not slash:
            continue
        if resource in of_resource:
            out.append(invalid(where, text, f"if '{resource}/*' is present, must not specify {text}"))
        if sub in of_any:
            out.append(invalid(where, text, f"if '*/{sub}' is present, must not specify {text}"))
        if sub == "*":
            of_resource.add(resource)
        if resource == "*":
            of_any.add(sub)
    if len(found) > 1 and "*/*" in found:
        out.append(invalid(path, found, "if '*/*' is present, must not specify other resources"))
    if "*" in found and any(text and text != "*" and "/" not in text for text in found):
        text = "if '*' is present, must not specify other resources without subresources"
        out.append(invalid(path, found, text))
    return out


#: What the expressions of a policy may name. Of Kubernetes' there is no `authorizer` here.
_KNOWN = frozenset({"object", "oldObject", "request", "namespaceObject"})


def expression(path: str, text: str, *, params: bool, variables: bool = True) -> Errors:
    """That it compiles, and names only what there is."""
    try:
        known = _KNOWN | ({"params"} if params else set()) | ({"variables"} if variables else set())
        unknown = cel.compiled(text).names - known
    except cel.CelError as error:
        return [invalid(path, text, f"compilation failed: {error}")]
    return [
        invalid(path, text, f"compilation failed: undeclared reference to '{name}' (in container '')")
        for name in sorted(unknown)[:1]
    ]
