"""Node (core/v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE, text_at
from kubelearn.api.kinds._errors import Errors, duplicate, forbidden, invalid
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._podspec_defaults import canonical_quantities
from kubelearn.api.kinds._podspec_validation import cidr
from kubelearn.api.kinds._resources import amount
from kubelearn.api.kinds._scheduling import taints
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "Node", "nodes", "node", False, short_names=("no",), subresources=("proxy", "status")
)  # fmt: skip
_ROLE_PREFIX, _ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"
_NOT_READY = "node.kubernetes.io/not-ready"
_INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
    "kubeProxyVersion", "operatingSystem", "architecture",
)  # fmt: skip


def default(obj: Obj) -> None:
    spec, status = r.ensure(obj, "spec"), r.ensure(obj, "status")
    first = r.text(spec, "podCIDR")
    if first and not r.strings(spec, "podCIDRs"):
        spec["podCIDRs"] = [first]
    r.fill(r.ensure(r.ensure(status, "daemonEndpoints"), "kubeletEndpoint"), "Port", 0)
    info = r.ensure(status, "nodeInfo")
    for key in _INFO:
        r.fill(info, key, "")
    for key in ("capacity", "allocatable"):
        canonical_quantities(r.mapping(status, key))
    if r.mapping(status, "capacity"):
        r.fill(status, "allocatable", dict(r.mapping(status, "capacity")))
    for condition in r.objects(status, "conditions"):
        for key in ("lastHeartbeatTime", "lastTransitionTime"):
            condition.setdefault(key, None)


def prepare(obj: Obj, old: Obj | None) -> None:
    """A new node is tainted until it is ready (admission plugin TaintNodesByCondition)."""
    if old is not None:
        return
    spec = r.ensure(obj, "spec")
    found = r.objects(spec, "taints")
    if not any((r.text(t, "key"), r.text(t, "effect")) == (_NOT_READY, "NoSchedule") for t in found):
        spec["taints"] = [*found, {"key": _NOT_READY, "effect": "NoSchedule"}]


def _amounts(status: Obj) -> Errors:
    out: Errors = []
    for key in ("capacity", "allocatable"):
        for name, value in sorted(r.mapping(status, key).items()):
            out += amount(f"status.{key}.{name}", name, value)
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = taints("metadata.taints", r.objects(spec, "taints"))
    out += _amounts(r.mapping(obj, "status"))
    ranges = r.strings(spec, "podCIDRs")
    for index, value in enumerate(ranges):
        out += cidr(f"spec.podCIDRs[{index}]", value)
    if len(ranges) > 1:
        if len(ranges) > 2 or len({":" in value for value in ranges}) != 2:
            text = "may specify no more than one CIDR for each IP family"
            out.append(invalid("spec.podCIDRs", ranges, text))
        out += [duplicate(f"spec.podCIDRs[{i}]", v) for i, v in enumerate(ranges) if v in ranges[:i]]
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    out: Errors = []
    seen: list[Obj] = []
    for index, address in enumerate(r.objects(r.mapping(new, "status"), "addresses")):
        if address in seen:
            out.append(duplicate(f"status.addresses[{index}]", address))
        seen.append(address)
    now, before = r.mapping(new, "spec"), r.mapping(old, "spec")
    had = r.strings(before, "podCIDRs")
    if had and r.strings(now, "podCIDRs") != had:
        text = 'node updates may not change podCIDR except from "" to valid'
        out.append(forbidden("spec.podCIDRs", text))
    if r.text(before, "providerID") and r.text(now, "providerID") != r.text(before, "providerID"):
        text = 'node updates may not change providerID except from "" to valid'
        out.append(forbidden("spec.providerID", text))
    return out


def _status(obj: Obj) -> str:
    ready = [c for c in r.objects(r.mapping(obj, "status"), "conditions") if r.text(c, "type") == "Ready"]
    words = ["Ready" if r.text(c, "status") == "True" else "NotReady" for c in ready[-1:]] or ["Unknown"]
    if r.flag(r.mapping(obj, "spec"), "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: Obj) -> str:
    found = set()
    for key, value in r.string_map(r.mapping(obj, "metadata"), "labels").items():
        if key.startswith(_ROLE_PREFIX) and len(key) > len(_ROLE_PREFIX):
            found.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE_LABEL and value:
            found.add(value)
    return ",".join(sorted(found)) or NONE


def _address(kind: str) -> Any:
    def cell(obj: Obj) -> str:
        found = r.objects(r.mapping(obj, "status"), "addresses")
        return next((r.text(a, "address") for a in found if r.text(a, "type") == kind), NONE)

    return cell


def _info(key: str) -> Any:
    return text_at("status", "nodeInfo", key, default="<unknown>")


COLUMNS = (
    NAME,
    Column("Status", _status, description="The status of the node."),
    Column("Roles", _roles, description="The roles of the node, from its labels."),
    AGE,
    Column("Version", text_at("status", "nodeInfo", "kubeletVersion"), description="Version of its kubelet."),
    Column("Internal-IP", _address("InternalIP"), priority=1, description="Its address inside the cluster."),
    Column("External-IP", _address("ExternalIP"), priority=1, description="Its address outside of it."),
    Column("OS-Image", _info("osImage"), priority=1, description="Its operating system."),
    Column("Kernel-Version", _info("kernelVersion"), priority=1, description="Its kernel."),
    Column("Container-Runtime", _info("containerRuntimeVersion"), priority=1, description="What runs containers."),
)


def fields(obj: Obj) -> Mapping[str, str]:
    unschedulable = "true" if r.flag(r.mapping(obj, "spec"), "unschedulable") else "false"
    return with_metadata(obj, {"spec.unschedulable": unschedulable}, namespaced=False)


KIND = Kind(RESOURCE, COLUMNS, default, validate, validate_update, prepare, fields, has_status=True)
