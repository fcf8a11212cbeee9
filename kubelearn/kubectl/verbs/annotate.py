"""`annotate`: change the annotations of objects."""

from __future__ import annotations

from kubelearn.kubectl import options
from kubelearn.kubectl.metadata_changes import FLAGS, Field, change
from kubelearn.kubectl.verb import Context, Parsed, Verb


def _check(_key: str, _value: str | None) -> list[str]:
    """Nothing: keys are the server's to check, and a value may be anything."""
    return []


_FIELD = Field("annotations", "annotation", "annotated", "annotated", _check, equals_in_value=True)


async def run(ctx: Context, parsed: Parsed) -> int:
    return await change(ctx, parsed, _FIELD)


VERB = Verb(
    name="annotate",
    summary="Update the annotations on a resource",
    usage="annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    examples="""
# Say why
kubectl annotate deployment web kubernetes.io/change-cause="new colour"

# Remove it
kubectl annotate deployment web kubernetes.io/change-cause-
""",
    flags=(*FLAGS, options.field_manager("kubectl-annotate")),
    run=run,
    complete="resource name",
)
