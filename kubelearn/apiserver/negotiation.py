"""Which form an answer takes, from the Accept header: media type, and Table or metadata instead of the whole object.

Served are JSON and YAML; Kubernetes' protobuf is read but never written, so a client that would take nothing else is
told 406, and one that names JSON after it gets that. Quality values order the choices, as in kube-apiserver.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kubelearn.api.errors import ApiError

JSON, YAML = "application/json", "application/yaml"
_FORMS = ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Choice:
    """`form` is `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList` or empty."""

    media: str
    form: str = ""


@lru_cache(maxsize=256)
def choice(accept: str, *, streaming: bool = False) -> Choice | None:
    """The first form that client and server agree on; None when there is none. YAML has no stream."""
    if not accept.strip():
        return Choice(JSON)
    asked = sorted((_clause(text) for text in accept.split(",")), key=lambda found: -found[0])
    for quality, media, parameters in asked:
        form = parameters.get("as", "")
        if quality <= 0 or form not in _FORMS or (form and parameters.get("v", "v1") not in _VERSIONS):
            continue
        if media in (JSON, "*/*", "application/*"):
            return Choice(JSON, form)
        if media == YAML and not streaming:
            return Choice(YAML, form)
    return None


def _clause(text: str) -> tuple[float, str, dict[str, str]]:
    media, *rest = (part.strip() for part in text.split(";"))
    parameters = {key.strip().lower(): value.strip(' "') for key, _, value in (part.partition("=") for part in rest)}
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 1.0
    return quality if quality == quality else 0.0, media.lower(), parameters


def chosen(accept: str, *, streaming: bool = False) -> Choice:
    """Raises ApiError 406 for a client that takes nothing that is served."""
    found = choice(accept, streaming=streaming)
    if found is None:
        served = JSON if streaming else f"{JSON}, {YAML}"
        raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {served}", {})
    return found
