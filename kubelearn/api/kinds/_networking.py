"""What Ingress and IngressClass have in common."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, required, subdomain
from kubelearn.api.resource import Obj

_WILDCARD = r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WILDCARD_TEXT = names.regex_text(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)


def wildcard(path: str, host: str) -> Errors:
    """`*.example.com`."""
    found = [names.too_long(names.SUBDOMAIN_MAX)] if len(host) > names.SUBDOMAIN_MAX else []
    rest = host.removeprefix("*.")
    if rest == host or "*" in rest or names.dns1123_subdomain(rest):
        found.append(_WILDCARD_TEXT)
    return all_invalid(path, host, found)


def reference(path: str, found: Obj) -> Errors:
    """A typed reference: an optional group, a kind and a name."""
    out: Errors = []
    if r.has(found, "apiGroup"):
        out += subdomain(f"{path}.apiGroup", r.text(found, "apiGroup"))
    for key in ("kind", "name"):
        value = r.text(found, key)
        out += all_invalid(f"{path}.{key}", value, names.path_segment(value)) if value else [required(f"{path}.{key}")]
    return out
