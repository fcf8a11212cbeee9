"""What the kinds about CSI drivers have in common."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kinds._errors import Errors, all_invalid, required, too_long

_MAX_DRIVER = 63


def driver_name(path: str, name: str) -> Errors:
    out: Errors = [] if name else [required(path)]
    if len(name) > _MAX_DRIVER:
        out.append(too_long(path, _MAX_DRIVER))
    if name:
        out += all_invalid(path, name, names.dns1123_subdomain(name.lower()))
    return out
