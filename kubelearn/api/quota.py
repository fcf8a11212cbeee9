"""What objects count against a ResourceQuota. Pure. Source: Kubernetes' pkg/quota/v1 and its evaluators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from kubelearn.api import pod_resources, quantity
from kubelearn.api.kinds.pod import qos_class
from kubelearn.api.pod_resources import Amounts
from kubelearn.api.resource import Obj, Resource

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
#: Names from before there was `count/`.
_COUNTED = ("replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims", "services")
#: What every container must say, where a quota limits it.
_REQUIRED = frozenset(("cpu", "memory", *(f"{s}.{n}" for s in ("requests", "limits") for n in ("cpu", "memory"))))
_ONE = Decimal(1)


def usage(resource: Resource, obj: Obj) -> Amounts:
    """By name as in `hard`: how much one object is."""
    name = resource.group_resource
    out: Amounts = {f"count/{name}": _ONE}
    if name in _COUNTED:
        out[name] = _ONE
    if name in _OTHER:
        out |= _OTHER[name](obj)
    return out


def _pod(pod: Obj) -> Amounts:
    if not counts(pod):
        return {}
    spec = pod["spec"]
    requests, limits = pod_resources.total(spec, "requests"), pod_resources.total(spec, "limits")
    out: Amounts = {"pods": _ONE}
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            out |= {name: amount, f"requests.{name}": amount}
        else:
            out[f"requests.{name}"] = amount
    return out | {f"limits.{name}": amount for name, amount in limits.items() if name in _COMPUTE}


def counts(pod: Obj) -> bool:
    """Whether a pod still uses anything: not one that has ended."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _service(service: Obj) -> Amounts:
    spec = service["spec"]
    kind, ports = spec.get("type", "ClusterIP"), Decimal(len(spec.get("ports") or ()))
    if kind == "LoadBalancer":
        out = {"services.loadbalancers": _ONE}
        return out | ({"services.nodeports": ports} if spec.get("allocateLoadBalancerNodePorts", True) else {})
    return {"services.nodeports": ports} if kind == "NodePort" else {}


def _claim(claim: Obj) -> Amounts:
    spec = claim["spec"]
    out: Amounts = {}
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is not None:
        out["requests.storage"] = quantity.parse(asked)
    if of_class := spec.get("storageClassName"):
        prefix = f"{of_class}.storageclass.storage.k8s.io/"
        out |= {f"{prefix}{name}": amount for name, amount in out.items()} | {f"{prefix}persistentvolumeclaims": _ONE}
    return out


_OTHER: dict[str, Callable[[Obj], Amounts]] = {"pods": _pod, "services": _service, "persistentvolumeclaims": _claim}


def covers(quota: Obj, resource: Resource, obj: Obj) -> bool:
    """Whether the quota's scopes mean this object; without scopes they mean all."""
    spec = quota["spec"]
    wanted = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not wanted:
        return True
    return resource.group_resource == "pods" and all(_in_scope(obj, requirement) for requirement in wanted)


def _in_scope(pod: Obj, requirement: Obj) -> bool:
    spec, scope = pod["spec"], str(requirement["scopeName"])
    match scope:
        case "Terminating" | "NotTerminating":
            has_deadline = spec.get("activeDeadlineSeconds") is not None
            return has_deadline == (scope == "Terminating")
        case "BestEffort" | "NotBestEffort":
            is_best_effort = qos_class(pod) == "BestEffort"
            return is_best_effort == (scope == "BestEffort")
        case "PriorityClass":
            return _selects(requirement, spec.get("priorityClassName", ""))
        case "CrossNamespacePodAffinity":
            return _reaches_out(spec.get("affinity") or {})
    return False


def _selects(requirement: Obj, value: str) -> bool:
    values = requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return bool(value)
    return not value


def _reaches_out(affinity: Obj) -> bool:
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        terms = list(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [term.get("podAffinityTerm") or {} for term in preferred]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def unsaid(pod: Obj, hard: Iterable[str]) -> str:
    """What containers must say because it is limited, in Kubernetes' words; empty if all is said."""
    required = _REQUIRED & set(hard)
    missing: dict[str, set[str]] = {}
    for container in pod_resources.containers(pod["spec"]):
        resources = container.get("resources") or {}
        said = set(resources.get("requests") or ())
        said |= {f"requests.{n}" for n in said} | {f"limits.{n}" for n in resources.get("limits") or ()}
        for name in required - said:
            missing.setdefault(name, set()).add(container["name"])
    listed = [f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing)]
    return f"must specify {'; '.join(listed)}" if listed else ""


def total(quota: Obj, found: Iterable[tuple[Resource, Obj]]) -> Obj:
    """`status.used`: what all these objects use of what is limited."""
    hard = quota["spec"].get("hard") or {}
    used: Amounts = dict.fromkeys(hard, Decimal())
    for resource, obj in found:
        if covers(quota, resource, obj):
            for name, amount in usage(resource, obj).items():
                if name in used:
                    used[name] += amount
    return written(used, hard)


def written(amounts: Amounts, hard: Obj) -> Obj:
    """Amounts as quantities, in the family of what limits them."""
    return {name: quantity.format(amount, quantity.format_of(hard.get(name, "0"))) for name, amount in amounts.items()}


def pretty(amounts: Obj) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))
