"""The environment of a container: values, references, whole ConfigMaps and Secrets, and the Services of its namespace.

After the kubelet's makeEnvironmentVariables. Pure but for `lookup`, which fetches a ConfigMap's or Secret's data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet import podspec

#: (`configmap` or `secret`, name) → its data as bytes, None if there is no such object.
Lookup = Callable[[str, str], Awaitable[Mapping[str, bytes] | None]]

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


class ConfigError(Exception):
    """CreateContainerConfigError: what the container refers to is not there."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` replaced; `$$` is a dollar sign, an unknown name stays as it is."""

    def one(match: re.Match[str]) -> str:
        if match.group(1) == "$":
            return "$"
        return known.get(match.group(2), match.group(0))

    return _REFERENCE.sub(one, text)


async def environment(
    pod: Obj,
    container: Obj,
    pod_ip: str,
    host_ip: str,
    services: Iterable[Obj],
    lookup: Lookup,
    allocatable: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Raises ConfigError."""
    base = service_variables(services) if pod["spec"].get("enableServiceLinks", True) else {}
    out: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        out |= await _from_source(source, lookup)
    facts = field_values(pod, pod_ip, host_ip)
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("valueFrom"):
            value = await _from_reference(entry["valueFrom"], facts, pod, container, lookup, allocatable or {})
            if value is not None:
                out[name] = value
        else:
            out[name] = expand(entry.get("value") or "", base | out)
    return base | out


async def _from_source(source: Obj, lookup: Lookup) -> dict[str, str]:
    kind, reference = (
        ("configmap", source["configMapRef"]) if "configMapRef" in source else ("secret", source["secretRef"])
    )
    data = await lookup(kind, reference["name"])
    if data is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{kind} "{reference["name"]}" not found')
    prefix = source.get("prefix") or ""
    named = {prefix + key: value.decode(errors="replace") for key, value in data.items()}
    return {key: value for key, value in named.items() if _ENV_NAME.fullmatch(key)}


async def _from_reference(
    source: Obj,
    facts: Mapping[str, str],
    pod: Obj,
    container: Obj,
    lookup: Lookup,
    allocatable: Mapping[str, str],
) -> str | None:
    if field := source.get("fieldRef"):
        return field_value(field["fieldPath"], facts, pod)
    if resource := source.get("resourceFieldRef"):
        return resource_value(resource, pod, container, allocatable)
    kind, reference = (
        ("configmap", source["configMapKeyRef"]) if "configMapKeyRef" in source else ("secret", source["secretKeyRef"])
    )
    name, key = reference["name"], reference["key"]
    data = await lookup(kind, name)
    if data is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{kind} "{name}" not found')
    if key not in data:
        if reference.get("optional"):
            return None
        shown = "ConfigMap" if kind == "configmap" else "Secret"
        raise ConfigError(f"couldn't find key {key} in {shown} {pod['metadata']['namespace']}/{name}")
    return data[key].decode(errors="replace")


def field_values(pod: Obj, pod_ip: str, host_ip: str) -> dict[str, str]:
    meta, spec = pod["metadata"], pod["spec"]
    return {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "metadata.labels": _pairs(meta.get("labels") or {}),
        "metadata.annotations": _pairs(meta.get("annotations") or {}),
    }


def field_value(path: str, facts: Mapping[str, str], pod: Obj) -> str:
    """A downward-API field; `metadata.labels['x']` is one label."""
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path):
        value: str = (pod["metadata"].get(match.group(1)) or {}).get(match.group(2), "")
        return value
    if path not in facts:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return facts[path]


def _pairs(items: Mapping[str, str]) -> str:
    """As the downward API writes labels to a file: sorted, quoted values."""
    escaped = {k: v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for k, v in items.items()}
    return "\n".join(f'{k}="{v}"' for k, v in sorted(escaped.items()))


def resource_value(reference: Obj, pod: Obj, container: Obj, allocatable: Mapping[str, str]) -> str:
    """`limits.memory` and its like, divided and rounded up; a limit that is not set is what the node has."""
    wanted = reference.get("containerName") or container["name"]
    spec = next((c for c in podspec.every_container(pod) if c["name"] == wanted), container)
    kind, _, resource = reference["resource"].partition(".")
    default = allocatable.get(resource, "0") if kind == "limits" else "0"
    amount = quantity.parse((spec.get("resources") or {}).get(kind, {}).get(resource, default))
    divisor = quantity.parse(str(reference.get("divisor") or "1") if reference.get("divisor") != "0" else "1")
    return str(math.ceil(amount / divisor))


def service_variables(services: Iterable[Obj]) -> dict[str, str]:
    """`WEB_SERVICE_HOST` and the Docker-links variables for each Service with a cluster IP."""
    out: dict[str, str] = {}
    for service in services:
        ip, ports = service["spec"].get("clusterIP", ""), service["spec"].get("ports") or []
        if ip in ("", "None") or not ports:
            continue
        name = service["metadata"]["name"].upper().replace("-", "_")
        out[f"{name}_SERVICE_HOST"] = ip
        out[f"{name}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                out[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        protocol = ports[0].get("protocol", "TCP").lower()
        out[f"{name}_PORT"] = f"{protocol}://{ip}:{ports[0]['port']}"
        for port in ports:
            protocol = port.get("protocol", "TCP")
            link = f"{name}_PORT_{port['port']}_{protocol}"
            out[link] = f"{protocol.lower()}://{ip}:{port['port']}"
            out |= {f"{link}_PROTO": protocol.lower(), f"{link}_PORT": str(port["port"]), f"{link}_ADDR": ip}
    return out
