"""Validation of `metadata`, the same for every kind.

Source: apimachinery's api/validation (ValidateObjectMetaAccessor and its update twin) and core's addition
on finalizers. The API server calls both functions for each kind, before the kind's own validation.
"""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, immutable, invalid, nonnegative, required
from kubelearn.api.resource import Obj

STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"
#: The groups whose kinds core's validation covers, which has one rule more for finalizers.
_FINALIZER_RULE_GROUPS = ("", "apps", "batch", "autoscaling", "networking.k8s.io", "policy", "storage.k8s.io")


def validate_metadata(obj: Obj, kind: Kind) -> list[FieldError]:
    """Errors of `obj`'s metadata, in Kubernetes' order."""
    meta = r.mapping(obj, "metadata")
    out = _names(meta, kind)
    out += nonnegative("metadata.generation", r.number(meta, "generation"))
    out += names.label_map(r.string_map(meta, "labels"), "metadata.labels")
    out += names.annotation_map(r.string_map(meta, "annotations"), "metadata.annotations")
    out += _owners(r.objects(meta, "ownerReferences"))
    out += _finalizers(r.strings(meta, "finalizers"))
    if kind.resource.group in _FINALIZER_RULE_GROUPS:
        for index, finalizer in enumerate(r.strings(meta, "finalizers")):
            if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
                text = "name is neither a standard finalizer name nor is it fully qualified"
                out.append(invalid(f"metadata.finalizers[{index}]", finalizer, text))
    return out


def _names(meta: Obj, kind: Kind) -> Errors:
    out: Errors = []
    if prefix := r.text(meta, "generateName"):
        out += all_invalid("metadata.generateName", prefix, names.check(kind.name_rule, prefix, prefix=True))
    if name := r.text(meta, "name"):
        out += all_invalid("metadata.name", name, names.check(kind.name_rule, name))
    else:
        out.append(required("metadata.name", "name or generateName is required"))
    namespace = r.text(meta, "namespace")
    if kind.resource.namespaced:
        if not namespace:
            out.append(required("metadata.namespace"))
        else:
            out += all_invalid("metadata.namespace", namespace, names.dns1123_label(namespace))
    elif namespace:
        out.append(forbidden("metadata.namespace", "not allowed on this type"))
    return out


def _owners(references: list[Obj]) -> Errors:
    out: Errors = []
    controller: Obj | None = None
    for index, reference in enumerate(references):
        path = f"metadata.ownerReferences[{index}]"
        group, _, version = r.text(reference, "apiVersion").rpartition("/")
        if not version:
            out.append(invalid(f"{path}.apiVersion", r.text(reference, "apiVersion"), "version must not be empty"))
        for key in ("kind", "name", "uid"):
            if not r.text(reference, key):
                out.append(invalid(f"{path}.{key}", "", "must not be empty"))
        if (group, version, r.text(reference, "kind")) == ("", "v1", "Event"):
            out.append(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"))
        if not r.flag(reference, "controller"):
            continue
        if controller is not None:
            both = f"{r.text(controller, 'name')} and {r.text(reference, 'name')}"
            text = f'Only one reference can have Controller set to true. Found "true" in references for {both}'
            out.append(invalid("metadata.ownerReferences", references, text))
        controller = reference
    return out


def _finalizers(found: list[str]) -> Errors:
    out: Errors = []
    for finalizer in found:
        out += all_invalid("metadata.finalizers", finalizer, names.qualified_name(finalizer))
    if _ORPHAN in found and _FOREGROUND in found:
        text = f"finalizer {_ORPHAN} and {_FOREGROUND} cannot be both set"
        out.append(invalid("metadata.finalizers", found, text))
    return out


_FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def validate_metadata_update(new: Obj, old: Obj) -> list[FieldError]:
    """What may not change in metadata. The server has copied server-owned fields from `old` where absent."""
    now, before = r.mapping(new, "metadata"), r.mapping(old, "metadata")
    out: Errors = []
    if r.text(before, "deletionTimestamp"):
        added = sorted(set(r.strings(now, "finalizers")) - set(r.strings(before, "finalizers")))
        if added:
            listed = "[]string{" + ", ".join(map(names.quote, added)) + "}"
            text = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
            out.append(forbidden("metadata.finalizers", text))
    if "resourceVersion" in now and not r.text(now, "resourceVersion"):
        out.append(invalid("metadata.resourceVersion", "", "must be specified for an update"))
    if r.count(now, "generation") < r.count(before, "generation"):
        out.append(invalid("metadata.generation", r.count(now, "generation"), "must not be decremented"))
    for key in _FIXED:
        out += immutable(f"metadata.{key}", now.get(key), before.get(key))
    return out
