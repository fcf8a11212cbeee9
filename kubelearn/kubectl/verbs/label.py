"""`label`: change the labels of objects."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.kubectl import options
from kubelearn.kubectl.metadata_changes import FLAGS, Field, change
from kubelearn.kubectl.verb import Context, Parsed, Verb


def _check(key: str, value: str | None) -> list[str]:
    """Only values: what is wrong with a key is the server's to say."""
    wrong = names.label_value(value or "")
    return [f'invalid label value: "{key}={value}": ' + ";".join(wrong)] if wrong else []


_FIELD = Field("labels", "label", "labeled", "unlabeled", _check, equals_in_value=False)


async def run(ctx: Context, parsed: Parsed) -> int:
    return await change(ctx, parsed, _FIELD)


VERB = Verb(
    name="label",
    summary="Update the labels on a resource",
    usage="label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    examples="""
# Add one
kubectl label pod web-1 tier=front

# Change it, and remove another
kubectl label pod web-1 tier=back old- --overwrite
""",
    flags=(*FLAGS, options.field_manager("kubectl-label")),
    run=run,
    complete="resource name",
)
