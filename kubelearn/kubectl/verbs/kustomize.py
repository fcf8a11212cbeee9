"""`kustomize`: said to be missing, with the way round it, instead of an unknown command."""

from __future__ import annotations

from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(_ctx: Context, _parsed: Parsed) -> int:
    raise CommandError(
        "kustomizations are not built here: build one with kustomize or kubectl, and pass the result on: "
        "kubectl kustomize DIR | kubelearn kubectl apply -f -"
    )


VERB = Verb(
    name="kustomize",
    summary="Build a kustomization target (not supported: says what to do instead)",
    usage="kustomize DIR",
    examples="# Says what to do instead\nkubectl kustomize overlay",
    run=run,
    complete="file",
)
