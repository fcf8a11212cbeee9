"""`create ingress`."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_RULE = re.compile(r"(?P<host>[^/=]*)(?P<path>/[^=]*)=(?P<service>[^:,]+):(?P<port>[^:,]+)(?:,(?P<tls>tls(?:=.*)?))?")
_NOT_ENOUGH = (
    "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) "
    "or a list of rules (which catch specific paths)"
)


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create ingress")
    if not parsed["rule"] and not parsed["default-backend"]:
        raise CommandError(_NOT_ENOUGH)
    matches = [_matched(text) for text in parsed["rule"]]
    metadata: dict[str, Any] = {"name": name}
    if annotations := _annotations(parsed["annotation"]):
        metadata["annotations"] = annotations
    spec: dict[str, Any] = {"ingressClassName": parsed["class"]} if parsed["class"] else {}
    if parsed["default-backend"]:
        spec["defaultBackend"] = _default(parsed["default-backend"])
    if tls := _tls(matches):
        spec["tls"] = tls
    if matches:
        spec["rules"] = _rules(matches)
    obj = {
        "kind": "Ingress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    await creating.make(ctx, parsed, obj, what="ingress:")
    return 0


def _matched(text: str) -> re.Match[str]:
    match = _RULE.fullmatch(text)
    if match is None:
        form = "host/path=svcname:svcport[,tls[=secret]]"
        raise CommandError(f"rule {text} is invalid and should be in format {form}")
    return match


def _annotations(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"annotation {pair} is invalid and should be in format key=[value]")
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}


def _backend(service: str, port: str) -> Obj:
    at: Obj = {"number": int(port)} if port.isdecimal() else {"name": port}
    return {"service": {"name": service, "port": at}}


def _default(text: str) -> Obj:
    service, _, port = text.partition(":")
    if not service or not port or ":" in port:
        raise CommandError("default-backend should be in format servicename:serviceport")
    return _backend(service, port)


def _rules(matches: list[re.Match[str]]) -> list[Obj]:
    """One rule per host; a path that ends in a star is a prefix."""
    by_host: dict[str, list[Obj]] = {}
    for match in matches:
        path = match["path"]
        kind = "Prefix" if path.endswith("*") else "Exact"
        entry = {
            "path": path.removesuffix("*"),
            "pathType": kind,
            "backend": _backend(match["service"], match["port"]),
        }
        by_host.setdefault(match["host"], []).append(entry)
    return [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in by_host.items()]


def _tls(matches: list[re.Match[str]]) -> list[Obj]:
    found: list[Obj] = []
    for match in matches:
        if match["tls"]:
            secret = match["tls"].partition("=")[2]
            hosts = {"hosts": [match["host"]]} if match["host"] else {}
            found.append({**hosts, **({"secretName": secret} if secret else {})})
    return found


VERB = Verb(
    name="ingress",
    summary="Create an ingress with the specified name",
    usage="create ingress NAME --rule=host/path=service:port[,tls[=secret]]",
    examples="# One host, everything under /\nkubectl create ingress web --rule='web.example/*=web:80'",
    flags=(
        *creating.flags(),
        Flag("class", help="the ingress class"),
        Flag("rule", kind="array", help="HOST/PATH=SERVICE:PORT[,tls[=SECRET]] (repeatable; PATH* is a prefix)"),
        Flag("default-backend", help="SERVICE:PORT for everything else"),
        Flag("annotation", kind="array", help="KEY=VALUE (repeatable)"),
    ),
    run=run,
    aliases=("ing",),
)
