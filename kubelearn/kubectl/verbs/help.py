"""`help`: about a command, or all of them."""

from __future__ import annotations

from kubelearn.kubectl import help as texts
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args:
        ctx.out(texts.overview())
        return 0
    verb = texts.load(parsed.args[0])
    if verb is None:
        ctx.out(f"Unknown help topic [`{' '.join(parsed.args)}`]\n")
        ctx.out(texts.overview())
        return 1
    path = parsed.args[0]
    for word in parsed.args[1:]:
        child = next((c for c in verb.children if word in (c.name, *c.aliases)), None)
        if child is None:
            break
        verb, path = child, f"{path} {child.name}"
    ctx.out(texts.of_verb(path, verb))
    return 0


VERB = Verb(
    name="help",
    summary="Help about any command",
    usage="help [command]",
    examples="# About one command\nkubectl help get",
    run=run,
)
