"""Completion: from a line and a cursor to suggestions. What the cluster holds comes from a `CompletionSource`.

The same for the REPL and the TUI. Never raises for what a learner has half typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from kubelearn.client.discovery import Mapper, NoMatch, discover
from kubelearn.client.rest import Client
from kubelearn.kubectl import help
from kubelearn.kubectl.flags import GLOBAL
from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Flag, Verb

PROGRAMS = ("kubectl", "k", "kubelearn")
_FIXED = {
    "outputs": ("json", "yaml", "wide", "name", "jsonpath=", "custom-columns="),
    "restart-policies": ("Always", "OnFailure", "Never"),
    "service-types": ("ClusterIP", "NodePort", "LoadBalancer"),
    "patch-types": ("strategic", "merge", "json"),
    "subresources": ("status", "scale"),
    "dry-runs": ("none", "client", "server"),
    "node-action": ("list", "start", "stop", "kill", "pause", "unpause", "disconnect", "connect"),
}
#: Fixed kinds of first arguments, by what a verb says of its arguments.
_KINDS = {
    "scalable": ("deployment", "replicaset"),
    "rollout": ("deployment",),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` replaces the line from column `start` to the cursor."""

    text: str
    start: int
    description: str = ""


class CompletionSource(Protocol):
    """What the cluster holds now."""

    async def kinds(self) -> list[tuple[str, str]]:
        """Plural names and short names, joined by commas."""
        ...

    async def names(self, kind: str, namespace: str) -> list[str]: ...
    async def containers(self, pod: str, namespace: str) -> list[str]: ...
    async def components(self) -> list[str]: ...


class ClusterSource:
    """Asks the cluster at each completion; the kinds are asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._mapper: Mapper | None = None

    async def _known(self) -> Mapper:
        if self._mapper is None:
            self._mapper = await discover(self._client)
        return self._mapper

    async def kinds(self) -> list[tuple[str, str]]:
        return sorted((r.plural, ",".join(r.short_names)) for r in (await self._known()).all() if "get" in r.verbs)

    async def names(self, kind: str, namespace: str) -> list[str]:
        try:
            resource = (await self._known()).find(kind)
        except NoMatch:
            return []
        found = await self._client.list(resource, namespace if resource.namespaced else "", metadata_only=True)
        return sorted(o["metadata"]["name"] for o in found["items"])

    async def containers(self, pod: str, namespace: str) -> list[str]:
        resource = (await self._known()).find("pods")
        found = await self._client.get(resource, pod, namespace)
        return [c["name"] for c in found["spec"]["containers"]]

    async def components(self) -> list[str]:
        return sorted(g["metadata"]["name"] for g in await _glass.gates(self._client))


async def suggest(text: str, cursor: int, source: CompletionSource, namespace: str = "default") -> list[Suggestion]:
    """What may stand at the cursor, best first."""
    before = text[:cursor]
    words = before.split()
    current = "" if not before or before[-1].isspace() else words.pop()
    start = len(before) - len(current)
    while words and words[0] in PROGRAMS:
        words = words[1:]
    found = await _candidates(words, current, source, namespace)
    return [Suggestion(t, start, d) for t, d in found if t.startswith(current) and t != current]


async def _candidates(
    words: list[str], current: str, source: CompletionSource, namespace: str
) -> Iterable[tuple[str, str]]:
    if not words:
        return _verbs()
    verb = help.load(words[0])
    if verb is None:
        return []
    rest = words[1:]
    while verb.children and rest and (child := next((c for c in verb.children if rest[0] == c.name), None)):
        verb, rest = child, rest[1:]
    flags = {f"--{f.name}": f for f in (*verb.flags, *GLOBAL)} | {
        f"-{f.short}": f for f in (*verb.flags, *GLOBAL) if f.short
    }
    space = _option(rest, ("-n", "--namespace")) or namespace
    flag = flags.get(rest[-1]) if rest else None
    if flag is not None and flag.kind != "bool" and flag.default_no_value is None:
        return await _flag_values(flag, rest, source, space)
    if current.startswith("-"):
        return sorted((name, f.help) for name, f in flags.items() if name.startswith("--"))
    if verb.children and not rest:
        return [(c.name, c.summary) for c in verb.children]
    return await _arguments(verb, _positional(rest, flags), current, source, space)


def _verbs() -> list[tuple[str, str]]:
    names = [*help.verb_names(), *help.own_names()]
    return [(n, verb.summary if (verb := help.load(n)) else "") for n in sorted(names)]


def _option(words: list[str], names: tuple[str, ...]) -> str:
    for at, word in enumerate(words):
        if word in names and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--namespace="):
            return word.partition("=")[2]
    return ""


def _positional(words: list[str], flags: dict[str, Flag]) -> list[str]:
    """The words that are no flags, nor values of flags."""
    out: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            flag = flags.get(word)
            skip = flag is not None and flag.kind != "bool" and flag.default_no_value is None
        else:
            out.append(word)
    return out


async def _flag_values(
    flag: Flag, words: list[str], source: CompletionSource, namespace: str
) -> Iterable[tuple[str, str]]:
    if flag.name == "namespace" or flag.complete == "namespaces":
        return [(n, "") for n in await source.names("namespaces", "")]
    if flag.complete == "containers":
        pods = [w for w in words if not w.startswith("-")]
        return [(c, "") for c in await source.containers(pods[0].rpartition("/")[2], namespace)] if pods else []
    return [(v, "") for v in _FIXED.get(flag.complete or flag.name, ())]


async def _arguments(
    verb: Verb, given: list[str], current: str, source: CompletionSource, namespace: str
) -> Iterable[tuple[str, str]]:
    """By what the verb says its arguments are: "resource name", "pod", "component" …"""
    first, _, second = verb.complete.partition(" ")
    if "/" in current:
        kind = current.partition("/")[0]
        return [(f"{kind}/{n}", "") for n in await source.names(kind, namespace)]
    if first == "component":
        return [(c, "") for c in await source.components() if c not in given]
    if first in _FIXED:
        return [(a, "") for a in _FIXED[first]] if not given else [(n, "") for n in await source.names("nodes", "")]
    if first in ("pod", "node"):
        return (
            [(n, "") for n in await source.names(first + "s", namespace if first == "pod" else "")] if not given else []
        )
    if first == "resource" or first in _KINDS:
        if not given:
            kinds = await source.kinds()
            return kinds if first == "resource" else [k for k in kinds if k[0].rstrip("s") in _KINDS[first]]
        if second and "/" not in given[0]:
            return [(n, "") for n in await source.names(given[0].partition(",")[0], namespace) if n not in given]
    return []
