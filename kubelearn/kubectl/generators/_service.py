"""What the four kinds of `create service` share."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api import names
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
        port, *rest = spec.split(":")
        number = _number(port)
        entry: dict[str, Any] = {"name": spec.replace(":", "-"), "protocol": "TCP", "port": number}
        entry["targetPort"] = _target(rest[0]) if rest else number
        if node_port:
            entry["nodePort"] = node_port
        found.append(entry)
    return found


def _number(text: str) -> int:
    """As Go reads an unsigned number of 16 bits."""
    if not re.fullmatch("[0-9]+", text):
        raise CommandError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > 65535:
        raise CommandError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def _target(text: str) -> int | str:
    """A number, or the name of a container's port."""
    if re.fullmatch("[0-9]+", text):
        if not 0 < int(text) < 65536:
            raise CommandError("must be between 1 and 65535, inclusive")
        return int(text)
    if problems := names.port_name(text):
        raise CommandError(",".join(problems))
    return text


def service(name: str, spec: Obj) -> Obj:
    labels = {"app": name}
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {**{k: v for k, v in spec.items() if k == "ports"}, "selector": labels, **spec},
        "status": {"loadBalancer": {}},
    }
