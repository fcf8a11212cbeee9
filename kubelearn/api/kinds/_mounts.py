"""Validation of where a container sees the volumes of its pod."""

from __future__ import annotations

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, choice, forbidden, invalid, not_found, required, unsupported
from kubelearn.api.kinds._volumes import local_path, no_backsteps
from kubelearn.api.resource import Obj

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")


def mounts(path: str, container: Obj, volumes: dict[str, Obj]) -> Errors:
    out: Errors = []
    devices = {r.text(d, "name"): r.text(d, "devicePath") for d in r.objects(container, "volumeDevices")}
    seen: set[str] = set()
    for index, mount in enumerate(r.objects(container, "volumeMounts")):
        where, name, target = f"{path}[{index}]", r.text(mount, "name"), r.text(mount, "mountPath")
        if not name:
            out.append(required(f"{where}.name"))
        if name not in volumes:
            out.append(not_found(f"{where}.name", name))
        if not target:
            out.append(required(f"{where}.mountPath"))
        if target in seen:
            out.append(invalid(f"{where}.mountPath", target, "must be unique"))
        seen.add(target)
        if name in devices:
            out.append(invalid(f"{where}.name", name, "must not already exist in volumeDevices"))
        if target in devices.values():
            out.append(invalid(f"{where}.mountPath", target, "must not already exist as a path in volumeDevices"))
        out += _sub_paths(path, where, mount)
        if propagation := r.text(mount, "mountPropagation"):
            out += choice(f"{path}.mountPropagation", propagation, _PROPAGATIONS)
            if propagation == "Bidirectional" and not r.flag(r.mapping(container, "securityContext"), "privileged"):
                text = "Bidirectional mount propagation is available only to privileged containers"
                out.append(forbidden(f"{path}.mountPropagation", text))
        out += _recursive(f"{path}.recursiveReadOnly", mount)
    return out


def _recursive(path: str, mount: Obj) -> Errors:
    wanted = r.text(mount, "recursiveReadOnly")
    if not r.has(mount, "recursiveReadOnly") or wanted == "Disabled":
        return []
    if wanted not in ("Enabled", "IfPossible"):
        return [unsupported(path, wanted, ("Disabled", "Enabled", "IfPossible"))]
    out: Errors = []
    if not r.flag(mount, "readOnly"):
        out.append(forbidden(path, "may only be specified when readOnly is true"))
    if r.text(mount, "mountPropagation") not in ("", "None"):
        out.append(forbidden(path, "may only be specified when mountPropagation is None or not specified"))
    return out


def _sub_paths(path: str, where: str, mount: Obj) -> Errors:
    # The path of the list, not of its item, is Kubernetes' own slip.
    out: Errors = []
    plain, expanded = r.text(mount, "subPath"), r.text(mount, "subPathExpr")
    if plain:
        out += local_path(f"{path}.subPath", plain)
    if expanded:
        if plain:
            out.append(invalid(f"{where}.subPathExpr", expanded, "subPathExpr and subPath are mutually exclusive"))
        out += local_path(f"{path}.subPathExpr", expanded)
    return out


def devices(path: str, container: Obj, volumes: dict[str, Obj]) -> Errors:
    out: Errors = []
    names_seen: set[str] = set()
    for index, device in enumerate(r.objects(container, "volumeDevices")):
        where, name, target = f"{path}[{index}]", r.text(device, "name"), r.text(device, "devicePath")
        if not name:
            out.append(required(f"{where}.name"))
        if name in names_seen:
            out.append(invalid(f"{where}.name", name, "must be unique"))
        names_seen.add(name)
        if name not in volumes:
            out.append(not_found(f"{where}.name", name))
        elif not {"persistentVolumeClaim", "ephemeral"} & set(volumes[name]):
            text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            out.append(invalid(f"{where}.name", name, text))
        if not target:
            out.append(required(f"{where}.devicePath"))
        elif no_backsteps(path, target):
            out.append(invalid(f"{where}.devicePath", target, "can not contain backsteps ('..')"))
    return out
