"""`why pod/NAME`: from the typed command to the object as it is, every hop with its time, from recorded causes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubelearn.client.discovery import discover
from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb
from kubelearn.trace.chain import Span, chain, to_object


async def _run(context: Context, parsed: Parsed) -> int:
    words = [w for arg in parsed.args for w in arg.split("/", 1)]
    if len(words) != 2:
        context.err("error: usage: why KIND/NAME, for example: why pod/web\n")
        return 1
    resource = (await discover(context.client)).find(words[0])
    namespace = context.namespace if resource.namespaced else ""
    found = chain(await _glass.spans(context.client), (resource.group_resource, namespace, words[1]))
    if not found:
        context.err(f'error: nothing is recorded of {resource.group_resource} "{words[1]}"\n')
        return 1
    if parsed["output"] == "json":
        context.out(json.dumps([to_object(s) for s in found], indent=2) + "\n")
        return 0
    for line in _lines(found):
        context.out(line + "\n")
    return 0


def _lines(found: list[Span]) -> Iterator[str]:
    """One line a hop; where a new command begins, its own line first."""
    began, trace = 0.0, ""
    for span in found:
        cause = span.cause
        if cause.trace_id != trace:
            began, trace = cause.at, cause.trace_id
            text = cause.command or f"{cause.verb} {_glass.subject(span)}"
            yield f"{_glass.clock_time(began)}  {'you' if cause.command else cause.actor:<26} {text}"
        actor = "API server" if cause.command else cause.actor
        what = f"{_glass.subject(span)}: {span.summary}  r{span.revision}"
        yield f"  {_glass.since(cause.at - began)}  {actor:<26} {what}"
        yield from _note(cause.note)


def _note(note: Mapping[str, Any]) -> Iterator[str]:
    """What the component said of its decision."""
    indent = " " * 15
    if text := note.get("reconcile"):
        yield f"{indent}{text}"
    for step in note.get("steps", ()):
        yield f"{indent}{step}"
    verdict = note.get("scheduler")
    if verdict:
        yield from (indent + line for line in _verdict(verdict))


def _verdict(verdict: Mapping[str, Any]) -> Iterator[str]:
    """The scheduler's table: a row per plugin, a column per node."""
    nodes: Mapping[str, Any] = verdict.get("nodes", {})
    names = sorted(nodes)
    results = [r for n in names for part in ("filter", "score") for r in (nodes[n].get(part) or {}).items()]
    wide = max([12, *(len(n) + 2 for n in names), *(len(_cell({p: v}, p)) + 2 for p, v in results)])
    yield " " * 36 + "".join(n.rjust(wide) for n in names)
    for part in ("filter", "score"):
        plugins = list(dict.fromkeys(p for n in names for p in nodes[n].get(part) or {}))
        for plugin in plugins:
            cells = [_cell(nodes[n].get(part) or {}, plugin) for n in names]
            yield f"{part:<7} {plugin:<28}" + "".join(c.rjust(wide) for c in cells)
    yield f"{'total':<36}" + "".join(str(nodes[n].get("total", "–")).rjust(wide) for n in names)
    yield f"→ {verdict.get('chosen', '')}"
    if preemption := verdict.get("preemption"):
        yield f"→ to make room on {preemption['node']}: {', '.join(preemption['victims'])} must go"


def _cell(results: Mapping[str, Any], plugin: str) -> str:
    value = results.get(plugin, "–")
    return str(value) if value == "ok" or not isinstance(value, str) or value == "–" else "✗ " + value[:24]


VERB = Verb(
    name="why",
    summary="From the command you typed to an object as it is now: every hop and its time",
    usage="why (KIND/NAME | KIND NAME) [flags]",
    examples="# How did this pod come to run?\nkubelearn why pod/web-7d4-x2x",
    flags=(Flag("output", "o", help="json, or text when empty", default=""),),
    run=_run,
    complete="resource name",
)
