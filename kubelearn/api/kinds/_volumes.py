"""Validation of a pod's volumes."""

from __future__ import annotations

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._claim import template as claim_template
from kubelearn.api.kinds._env import object_field, resource_field
from kubelearn.api.kinds._errors import Errors, choice, duplicate, forbidden, invalid, label, required, unsupported
from kubelearn.api.kinds._resources import amount
from kubelearn.api.resource import Obj

_HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_MIN_TOKEN_SECONDS, _MAX_TOKEN_SECONDS = 600, 1 << 32
DOWNWARD_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
)  # fmt: skip


def local_path(path: str, value: str) -> Errors:
    """A path that stays below where it starts."""
    out: Errors = []
    if value.startswith("/"):
        out.append(invalid(path, value, "must be a relative path"))
    return out + no_backsteps(path, value)


def no_backsteps(path: str, value: str) -> Errors:
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def _mode(path: str, value: int | None) -> Errors:
    return [invalid(path, value, _MODE_TEXT)] if value is not None and not 0 <= value <= 0o777 else []


def _key_to_path(path: str, item: Obj) -> Errors:
    out = [] if r.text(item, "key") else [required(f"{path}.key")]
    if target := r.text(item, "path"):
        if target.startswith(".."):
            out.append(invalid(f"{path}.path", target, "must not start with '..'"))
        out += local_path(f"{path}.path", target)
    else:
        out.append(required(f"{path}.path"))
    return out + _mode(f"{path}.mode", r.number(item, "mode"))


def _keys(path: str, source: Obj) -> Errors:
    out: Errors = []
    for index, item in enumerate(r.objects(source, "items")):
        out += _key_to_path(f"{path}.items[{index}]", item)
    return out


def _named(path: str, source: Obj, key: str) -> Errors:
    """ConfigMap and Secret volumes."""
    out = [] if r.text(source, key) else [required(f"{path}.{key}")]
    return out + _mode(f"{path}.defaultMode", r.number(source, "defaultMode")) + _keys(path, source)


def _downward_item(path: str, item: Obj) -> Errors:
    out: Errors = []
    if target := r.text(item, "path"):
        out += local_path(f"{path}.path", target)
    else:
        out.append(required(f"{path}.path"))
    if r.has(item, "fieldRef"):
        out += object_field(f"{path}.fieldRef", r.mapping(item, "fieldRef"), DOWNWARD_FIELDS)
        if r.has(item, "resourceFieldRef"):
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            out.append(invalid(path, "resource", text))
    elif r.has(item, "resourceFieldRef"):
        out += resource_field(f"{path}.resourceFieldRef", r.mapping(item, "resourceFieldRef"), in_volume=True)
    else:
        out.append(required(f"{path}.fieldRef", "one of fieldRef and resourceFieldRef is required"))
    return out + _mode(f"{path}.mode", r.number(item, "mode"))


def _downward(path: str, source: Obj) -> Errors:
    out = _mode(f"{path}.defaultMode", r.number(source, "defaultMode"))
    for index, item in enumerate(r.objects(source, "items")):
        out += _downward_item(f"{path}.items[{index}]", item)
    return out


def _token(path: str, source: Obj) -> Errors:
    out: Errors = []
    seconds = r.count(source, "expirationSeconds")
    if seconds < _MIN_TOKEN_SECONDS:
        out.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > _MAX_TOKEN_SECONDS:
        out.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    target = r.text(source, "path")
    return out + (local_path(f"{path}.path", target) if target else [required(f"{path}.path")])


def _projected_part(path: str, part: Obj) -> Errors:
    out: Errors = []
    found = [key for key in ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle")
             if r.has(part, key)]  # fmt: skip
    for key in found[1:]:
        out.append(forbidden(f"{path}.{key}", "may not specify more than 1 volume type"))
    first = found[0] if found else ""
    if first in ("secret", "configMap"):
        source = r.mapping(part, first)
        if not r.text(source, "name"):
            out.append(required(f"{path}.{first}.name"))
        out += _keys(f"{path}.{first}", source)
    elif first == "downwardAPI":
        for index, item in enumerate(r.objects(r.mapping(part, first), "items")):
            out += _downward_item(f"{path}.downwardAPI.items[{index}]", item)
    elif first == "serviceAccountToken":
        out += _token(f"{path}.serviceAccountToken", r.mapping(part, first))
    elif not first:
        out.append(required(path, "must specify a volume type"))
    return out


def _projected(path: str, source: Obj) -> Errors:
    out = _mode(f"{path}.defaultMode", r.number(source, "defaultMode"))
    for index, part in enumerate(r.objects(source, "sources")):
        out += _projected_part(f"{path}.sources[{index}]", part)
    return out


def _host_path(path: str, source: Obj) -> Errors:
    where = r.text(source, "path")
    out = no_backsteps(f"{path}.path", where) if where else [required(f"{path}.path")]
    kind = r.text(source, "type")
    return out + ([] if kind in _HOST_PATH_TYPES else [unsupported(f"{path}.type", kind, _HOST_PATH_TYPES)])


def _empty_dir(path: str, source: Obj) -> Errors:
    size = source.get("sizeLimit")
    if size is not None and amount(path, "memory", size):
        return [forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _claim(path: str, source: Obj) -> Errors:
    return [] if r.text(source, "claimName") else [required(f"{path}.claimName")]


def _nfs(path: str, source: Obj) -> Errors:
    out = [required(f"{path}.{key}") for key in ("server", "path") if not r.text(source, key)]
    where = r.text(source, "path")
    if where and not where.startswith("/"):
        out.append(invalid(f"{path}.path", where, "must be an absolute path"))
    return out


def _csi(path: str, source: Obj) -> Errors:
    return [] if r.text(source, "driver") else [required(f"{path}.driver")]


_AZURE_URIS = {
    True: ("/subscriptions/", "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"),
    False: ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
}  # fmt: skip


def _azure_disk(path: str, source: Obj) -> Errors:
    out = [required(f"{path}.{key}") for key in ("diskName", "diskURI") if not r.text(source, key)]
    for key, supported in (
        ("cachingMode", ("None", "ReadOnly", "ReadWrite")),
        ("kind", ("Dedicated", "Managed", "Shared")),
    ):
        if r.has(source, key) and r.text(source, key) not in supported:
            out.append(unsupported(f"{path}.{key}", r.text(source, key), supported))
    start, form = _AZURE_URIS[r.text(source, "kind") == "Managed"]
    if r.has(source, "kind") and not r.text(source, "diskURI").startswith(start):
        out.append(unsupported(f"{path}.diskURI", r.text(source, "diskURI"), (form,)))
    return out


def _ephemeral(path: str, source: Obj) -> Errors:
    if not r.has(source, "volumeClaimTemplate"):
        return [required(f"{path}.volumeClaimTemplate")]
    return claim_template(f"{path}.volumeClaimTemplate", r.mapping(source, "volumeClaimTemplate"))


def _image(path: str, source: Obj) -> Errors:
    return choice(f"{path}.pullPolicy", r.text(source, "pullPolicy"), PULL_POLICIES)


_SOURCES = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": lambda path, source: _named(path, source, "secretName"),
    "nfs": _nfs,
    "persistentVolumeClaim": _claim,
    "downwardAPI": _downward,
    "configMap": lambda path, source: _named(path, source, "name"),
    "azureDisk": _azure_disk,
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}


def _source(path: str, volume: Obj) -> Errors:
    out: Errors = []
    known = [key for key in _SOURCES if r.has(volume, key)]
    others = [key for key, value in volume.items() if key != "name" and key not in _SOURCES and value is not None]
    for position, key in enumerate(known + others):
        if position:
            out.append(forbidden(f"{path}.{key}", "may not specify more than 1 volume type"))
        elif key in _SOURCES:
            out += _SOURCES[key](f"{path}.{key}", r.mapping(volume, key))
    return out if known or others else [required(path, "must specify a volume type")]


def _local(path: str, source: Obj) -> Errors:
    where = r.text(source, "path")
    return no_backsteps(f"{path}.path", where) if where else [required(f"{path}.path")]


def _persistent_csi(path: str, source: Obj) -> Errors:
    return [required(f"{path}.{key}") for key in ("driver", "volumeHandle") if not r.text(source, key)]


#: The sources of a PersistentVolume that are looked into; the others are only counted.
_PERSISTENT = {
    "hostPath": _host_path, "nfs": _nfs, "azureDisk": _azure_disk, "local": _local, "csi": _persistent_csi,
}  # fmt: skip


def persistent_source(path: str, found: Obj) -> Errors:
    """The one source of a PersistentVolume."""
    out: Errors = []
    ordered = [*(key for key in _PERSISTENT if key in found), *(key for key in found if key not in _PERSISTENT)]
    for position, key in enumerate(ordered):
        if position:
            out.append(forbidden(f"{path}.{key}", "may not specify more than 1 volume type"))
        elif key in _PERSISTENT:
            out += _PERSISTENT[key](f"{path}.{key}", r.mapping(found, key))
    return out if ordered else [required(path, "must specify a volume type")]


def volumes(path: str, found: list[Obj]) -> tuple[dict[str, Obj], Errors]:
    """The valid volumes by name, which mounts may refer to, and the errors."""
    valid: dict[str, Obj] = {}
    out: Errors = []
    for index, volume in enumerate(found):
        where, name = f"{path}[{index}]", r.text(volume, "name")
        errors = _source(where, volume)
        errors += label(f"{where}.name", name) if name else [required(f"{where}.name")]
        if name in valid:
            errors.append(duplicate(f"{where}.name", name))
        if errors:
            out += errors
        else:
            valid[name] = volume
    return valid, out
