"""CustomResourceDefinition (apiextensions.k8s.io/v1): a kind that users bring. What it makes is in `api.crd`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from kubelearn.api import names
from kubelearn.api.crd import selectable, structural
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import CREATED_AT, NAME
from kubelearn.api.kinds._errors import (
    Errors,
    all_invalid,
    choice,
    forbidden,
    immutable,
    invalid,
    required,
    unsupported,
)
from kubelearn.api.resource import Obj, Resource
from kubelearn.kit import clock

RESOURCE = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition",
    False, short_names=("crd", "crds"), categories=("api-extensions",), subresources=("status",),
)  # fmt: skip
#: Its objects go before it does.
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
APPROVED = "api-approved.kubernetes.io"
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_PATH = re.compile(r"\.[a-zA-Z_][\w-]*(\.[a-zA-Z_][\w-]*)*")
#: Parts of a version that Kubernetes checks once for all versions where they say the same.
_HOISTED = {
    "schema": "spec.validation",
    "subresources": "spec.subresources",
    "additionalPrinterColumns": "spec.additionalPrinterColumns",
}


def established(obj: Obj) -> bool:
    return bool(r.condition(obj, "Established").get("status") == "True")


def storage_version(obj: Obj) -> str:
    found = [v for v in r.objects(r.mapping(obj, "spec"), "versions") if r.flag(v, "storage")]
    return r.text(found[0], "name") if found else ""


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    given = r.ensure(spec, "names")
    r.fill_text(given, "singular", r.text(given, "kind").lower())
    if kind := r.text(given, "kind"):
        r.fill_text(given, "listKind", f"{kind}List")
    r.fill(spec, "conversion", {"strategy": "None"})


def prepare(obj: Obj, old: Obj | None) -> None:
    """A new one has a status of the server's; a version that becomes the storage version stays noted."""
    if old is None:
        obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None}
    stored = r.strings(r.mapping(obj, "status"), "storedVersions")
    if (version := storage_version(obj)) and version not in stored:
        r.ensure(obj, "status")["storedVersions"] = [*stored, version]


def mark_deleted(obj: Obj) -> None:
    """What its deletion begins with: a finalizer, and a condition that says so."""
    about, status = obj["metadata"], r.ensure(obj, "status")
    if CLEANUP not in r.strings(about, "finalizers"):
        about["finalizers"] = [*r.strings(about, "finalizers"), CLEANUP]
    if not r.condition(obj, "Terminating"):
        message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        status["conditions"] = [
            *r.objects(status, "conditions"),
            {
                "type": "Terminating",
                "status": "True",
                "lastTransitionTime": clock.rfc3339(clock.utc_now()),
                "reason": "InstanceDeletionPending",
                "message": message,
            },
        ]


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    group, given = r.text(spec, "group"), r.mapping(spec, "names")
    out: Errors = []
    if (name := r.name(obj)) != f"{r.text(given, 'plural')}.{group}":
        out.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    if not group:
        out.append(required("spec.group"))
    elif wrong := names.dns1123_subdomain(group):
        out += all_invalid("spec.group", group, wrong)
    elif "." not in group:
        out.append(invalid("spec.group", group, "should be a domain with at least one dot"))
    out += choice("spec.scope", r.text(spec, "scope"), ("Cluster", "Namespaced"))
    out += _names(given)
    out += _versions(spec)
    if r.flag(spec, "preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        out.append(invalid("spec.preserveUnknownFields", True, text))
    return out + _conversion(r.mapping(spec, "conversion")) + _approval(obj)


def approval(obj: Obj) -> tuple[str, str]:
    """How it is with the approval of a group that is Kubernetes' own, and what to say of it; nothing for others."""
    group = r.text(r.mapping(obj, "spec"), "group")
    if not any(f".{group}".endswith(own) for own in (".k8s.io", ".kubernetes.io")):
        return "", ""
    said = r.text(r.mapping(obj, "metadata", "annotations"), APPROVED)
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    if not said:
        return "missing", f'protected groups must have approval annotation "{APPROVED}", {see}'
    if said.startswith("unapproved"):
        return "bypassed", f"not approved: {names.quote(said)}"
    url = urlsplit(said)
    if url.scheme and url.netloc:
        return "approved", f"approved in {said}"
    wanted = 'with either a URL or a reason starting with "unapproved"'
    return "invalid", f'protected groups must have approval annotation "{APPROVED}" {wanted}, {see}'


def _approval(obj: Obj) -> Errors:
    state, text = approval(obj)
    where = f"metadata.annotations[{APPROVED}]"
    if state == "missing":
        return [required(where, text)]
    return [invalid(where, obj["metadata"]["annotations"][APPROVED], text)] if state == "invalid" else []


def _names(given: Obj) -> Errors:
    out: Errors = []
    for key, lower in (("plural", False), ("singular", False), ("kind", True), ("listKind", True)):
        value, where = r.text(given, key), f"spec.names.{key}"
        if not value:
            if key != "singular":
                out.append(required(where))
            continue
        wrong = names.dns1035_label(value.lower() if lower else value)
        if wrong and lower:
            out.append(invalid(where, value, f"may have mixed case, but should otherwise match: {wrong[0]}"))
        else:
            out += all_invalid(where, value, wrong)
    for key in ("shortNames", "categories"):
        for index, value in enumerate(r.strings(given, key)):
            out += all_invalid(f"spec.names.{key}[{index}]", value, names.dns1035_label(value))
    if r.text(given, "kind") and r.text(given, "kind") == r.text(given, "listKind"):
        out.append(invalid("spec.names.listKind", r.text(given, "listKind"), "kind and listKind may not be the same"))
    return out


def _versions(spec: Obj) -> Errors:
    versions = r.objects(spec, "versions")
    if not versions:
        return [required("spec.versions", "must have at least one version")]
    out: Errors = []
    found = [r.text(v, "name") for v in versions]
    for index, name in enumerate(found):
        out += all_invalid(f"spec.versions[{index}].name", name, names.dns1035_label(name))
    if len(set(found)) < len(found):
        out.append(invalid("spec.versions", found, "must contain unique version names"))
    if sum(r.flag(v, "storage") for v in versions) != 1:
        out.append(invalid("spec.versions", found, "must have exactly one version marked as storage version"))
    for key, check in (("schema", _schema), ("subresources", _subresources), ("additionalPrinterColumns", _columns)):
        same = all(v.get(key) == versions[0].get(key) for v in versions)
        hoisted = same and (key != "schema" or versions[0].get(key))
        checked = versions[:1] if hoisted else versions
        for index, version in enumerate(checked):
            out += check(version.get(key), _HOISTED[key] if hoisted else f"spec.versions[{index}].{key}")
    same = all(v.get("selectableFields") == versions[0].get("selectableFields") for v in versions)
    for index, version in enumerate(versions[:1] if same else versions):
        where = "spec.selectableFields" if same else f"spec.versions[{index}].selectableFields"
        out += selectable.problems(
            r.objects(version, "selectableFields"), r.mapping(version, "schema", "openAPIV3Schema"), where
        )
    return out


def _schema(schema: Any, path: str) -> Errors:
    found = r.mapping(schema, "openAPIV3Schema")
    return structural.problems(found, f"{path}.openAPIV3Schema") if found else [
        required(f"{path}.openAPIV3Schema", "schemas are required")
    ]  # fmt: skip


def _subresources(found: Any, path: str) -> Errors:
    scale = r.mapping(found, "scale")
    if not scale:
        return []
    out: Errors = []
    for key, root in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        value, where = r.text(scale, key), f"{path}.scale.{key}"
        if not value:
            out.append(required(where))
        elif not _PATH.fullmatch(value) or not value.startswith(f"{root}."):
            out.append(invalid(where, value, f"should be a json path under {root}"))
    selector = r.text(scale, "labelSelectorPath")
    if selector and not selector.startswith((".spec.", ".status.")):
        text = "should be a json path under either .spec or .status"
        out.append(invalid(f"{path}.scale.labelSelectorPath", selector, text))
    return out


def _columns(found: Any, path: str) -> Errors:
    out: Errors = []
    for index, column in enumerate(found if isinstance(found, list) else ()):
        where = f"{path}[{index}]"
        if not r.text(column, "name"):
            out.append(required(f"{where}.name"))
        kind = r.text(column, "type")
        if not kind:
            out.append(required(f"{where}.type", f"must be one of {','.join(_COLUMN_TYPES)}"))
        elif kind not in _COLUMN_TYPES:
            out.append(invalid(f"{where}.type", kind, f"must be one of {','.join(_COLUMN_TYPES)}"))
        if r.text(column, "format") not in _FORMATS:
            out.append(invalid(f"{where}.format", r.text(column, "format"), f"must be one of {','.join(_FORMATS[1:])}"))
        said = r.text(column, "jsonPath")
        if not said:
            out.append(required(f"{where}.JSONPath"))
        elif not said.startswith("."):
            out.append(invalid(f"{where}.JSONPath", said, "must be a simple json path starting with ."))
    return out


def _conversion(found: Obj) -> Errors:
    strategy = r.text(found, "strategy")
    if strategy == "Webhook":
        return [forbidden("spec.conversion.strategy", "kubelearn does not call conversion webhooks; use None")]
    if strategy == "None":
        text, webhook = "should not be set when strategy is not set to Webhook", r.mapping(found, "webhook")
        given = (("webhookClientConfig", "clientConfig"), ("conversionReviewVersions", "conversionReviewVersions"))
        return [forbidden(f"spec.conversion.{name}", text) for name, key in given if webhook.get(key)]
    return [unsupported("spec.conversion.strategy", strategy, ("None", "Webhook"))]


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    spec, was = r.mapping(new, "spec"), r.mapping(old, "spec")
    out: Errors = []
    if established(old):
        out += immutable("spec.scope", spec.get("scope"), was.get("scope"))
        out += immutable("spec.names.kind", r.mapping(spec, "names").get("kind"), r.mapping(was, "names").get("kind"))
    out += immutable("spec.group", spec.get("group"), was.get("group"))
    out += immutable("spec.names.plural", r.mapping(spec, "names").get("plural"), r.mapping(was, "names").get("plural"))
    served = [r.text(v, "name") for v in r.objects(spec, "versions")]
    for index, version in enumerate(r.strings(r.mapping(new, "status"), "storedVersions")):
        if version not in served:
            text = (
                f"missing from spec.versions; {version} was previously a storage version, and must remain in "
                "spec.versions until a storage migration ensures no data remains persisted in "
                f"{version} and removes {version} from status.storedVersions"
            )
            out.append(invalid(f"status.storedVersions[{index}]", version, text))
    return out


KIND = Kind(
    RESOURCE,
    (NAME, CREATED_AT), default, validate, validate_update, prepare, has_status=True, has_generation=True, on_delete=mark_deleted,
    unconditional_update=False,
)  # fmt: skip
