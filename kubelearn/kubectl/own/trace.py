"""`trace`: the timeline of what happened and why, newest last; `--follow` goes on."""

from __future__ import annotations

import json

from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb
from kubelearn.trace.chain import Span, from_object, to_object

_NOISE = frozenset({"events", "leases.coordination.k8s.io"})


async def _run(context: Context, parsed: Parsed) -> int:
    found = await _glass.spans(context.client)
    shown = [s for s in found if parsed["all"] or s.group_resource not in _NOISE]
    for span in shown[-int(parsed["tail"]) :]:
        context.out(_line(span, parsed["output"]))
    if parsed["follow"]:
        version = str(found[-1].revision) if found else ""
        async for event in context.client.watch(_glass.SPANS, resource_version=version):
            span = from_object(event.object)
            if parsed["all"] or span.group_resource not in _NOISE:
                context.out(_line(span, parsed["output"]))
    return 0


def _line(span: Span, output: str) -> str:
    if output == "json":
        return json.dumps(to_object(span)) + "\n"
    cause = span.cause
    actor = f"you: {cause.command}" if cause.command else cause.actor
    because = f"  ← r{cause.parent}" if cause.parent else ""
    what = f"{_glass.subject(span)}: {span.summary}"
    return f"{_glass.clock_time(cause.at)}  r{span.revision:<6} {what}  ({actor}){because}\n"


VERB = Verb(
    name="trace",
    summary="The timeline of what happened, and why",
    usage="trace [flags]",
    examples="# The last twenty changes, then what follows\nkubelearn trace --follow",
    flags=(
        Flag("follow", "f", "bool", False, "go on with what happens next"),
        Flag("tail", kind="int", default=20, help="how many of the past changes to show"),
        Flag("all", kind="bool", default=False, help="also show events and heartbeats"),
        Flag("output", "o", help="json, or text when empty", default=""),
    ),
    run=_run,
)
