"""What the four kinds of `create service` share."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Flag

TCP = Flag("tcp", kind="strings", help="PORT:TARGET pairs, e.g. 80:8080 (repeatable)")


def ports(specs: list[str], node_port: int = 0) -> list[dict[str, Any]]:
    """Raises CommandError in kubectl's words."""
    if not specs:
        raise CommandError("at least one tcp port specifier must be provided")
    found = []
    for spec in specs:
        port, _, target = spec.partition(":")
        number = _number(port, spec)
        entry: dict[str, Any] = {"name": spec.replace(":", "-"), "protocol": "TCP", "port": number}
        entry["targetPort"] = (int(target) if target.isdigit() else target) if target else number
        if node_port:
            entry["nodePort"] = node_port
        found.append(entry)
    return found


def _number(text: str, spec: str) -> int:
    if not text.isdigit():
        raise CommandError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if not 0 < int(text) < 65536:
        raise CommandError(f"{spec}: port number must be between 1 and 65535, inclusive")
    return int(text)


def service(name: str, spec: Obj) -> Obj:
    labels = {"app": name}
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {**{k: v for k, v in spec.items() if k == "ports"}, "selector": labels, **spec},
        "status": {"loadBalancer": {}},
    }
