"""Ephemeral containers: added to a running pod, and neither changed nor removed then.

Source: Kubernetes' pkg/registry/core/pod/strategy.go and ValidatePodEphemeralContainersUpdate.
"""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, forbidden
from kubelearn.api.kinds._podspec import validate_spec
from kubelearn.api.resource import Obj

_FIELD = "ephemeralContainers"
_PATH = f"spec.{_FIELD}"


def take(new: Obj, old: Obj) -> Obj:
    spec = {key: value for key, value in r.mapping(old, "spec").items() if key != _FIELD}
    if found := r.objects(r.mapping(new, "spec"), _FIELD):
        spec[_FIELD] = found
    return {**old, "spec": spec}


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    spec = r.mapping(new, "spec")
    out: Errors = [e for e in validate_spec("spec", spec, is_pod=True) if e.field.startswith(_PATH)]
    now = {r.text(c, "name"): c for c in r.objects(spec, _FIELD)}
    for container in r.objects(r.mapping(old, "spec"), _FIELD):
        name = r.text(container, "name")
        if name not in now:
            out.append(forbidden(_PATH, f"existing ephemeral containers {names.quote(name)} may not be removed\n"))
        elif now[name] != container:
            out.append(forbidden(_PATH, f"existing ephemeral containers {names.quote(name)} may not be changed\n"))
    return out
