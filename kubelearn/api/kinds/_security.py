"""Validation of security contexts."""

from __future__ import annotations

import re

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import MAX_INT32, Errors, choice, duplicate, invalid, required, unsupported
from kubelearn.api.kinds._volumes import local_path
from kubelearn.api.resource import Obj

_ID_TEXT = f"must be between 0 and {MAX_INT32}, inclusive"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}"
_SYSCTL_MAX = 253


def _id(path: str, context: Obj, key: str) -> Errors:
    value = r.number(context, key)
    return [invalid(f"{path}.{key}", value, _ID_TEXT)] if value is not None and not 0 <= value <= MAX_INT32 else []


def _profile(path: str, context: Obj, key: str) -> Errors:
    """seccompProfile or appArmorProfile."""
    if not r.has(context, key):
        return []
    profile, where = r.mapping(context, key), f"{path}.{key}"
    kind, word = r.text(profile, "type"), "seccomp" if key == "seccompProfile" else "AppArmor"
    out = choice(f"{where}.type", kind, _PROFILES)
    local = r.text(profile, "localhostProfile")
    if kind == "Localhost":
        if not local:
            text = f"must be set when {word} type is Localhost"
            out.append(required(f"{where}.localhostProfile", text))
        elif word == "seccomp":
            out += local_path(f"{where}.localhostProfile", local)
    elif local:
        out.append(invalid(f"{where}.localhostProfile", profile, f"can only be set when {word} type is Localhost"))
    return out


def container_security(path: str, context: Obj) -> Errors:
    out = _id(path, context, "runAsUser") + _id(path, context, "runAsGroup")
    if proc := r.text(context, "procMount"):
        out += choice(f"{path}.procMount", proc, ("Default", "Unmasked"))
    out += _profile(path, context, "seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        if r.flag(context, "privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            out.append(invalid(path, context, text))
        if "CAP_SYS_ADMIN" in r.strings(r.mapping(context, "capabilities"), "add"):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            out.append(invalid(path, context, text))
    return out + _profile(path, context, "appArmorProfile")


def unmasked(path: str, spec: Obj) -> Errors:
    """A container sees all of /proc only in a user namespace of its pod's own."""
    if r.has(spec, "hostUsers") and not r.flag(spec, "hostUsers"):
        return []
    out: Errors = []
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in enumerate(r.objects(spec, key)):
            proc = r.text(r.mapping(container, "securityContext"), "procMount")
            if proc == "Unmasked":
                where = f"{path}.{key}[{index}].securityContext.procMount"
                out.append(invalid(where, proc, "`hostUsers` must be false to use `Unmasked`"))
    return out


def _sysctls(path: str, context: Obj) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, item in enumerate(r.objects(context, "sysctls")):
        where, name = f"{path}[{index}].name", r.text(item, "name")
        if not name:
            out.append(required(where))
        elif len(name) > _SYSCTL_MAX or not re.fullmatch(_SYSCTL, name):
            text = f"must have at most {_SYSCTL_MAX} characters and match regex ^{_SYSCTL}$"
            out.append(invalid(where, name, text))
        elif name in seen:
            out.append(duplicate(where, name))
        seen.add(name)
    return out


def pod_security(path: str, spec: Obj) -> Errors:
    context = r.mapping(spec, "securityContext")
    out: Errors = []
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        out += _id(path, context, key)
    groups = context.get("supplementalGroups")
    for index, group in enumerate(groups if isinstance(groups, list) else []):
        if isinstance(group, int) and not 0 <= group <= MAX_INT32:
            out.append(invalid(f"{path}.supplementalGroups[{index}]", group, _ID_TEXT))
    if r.flag(spec, "shareProcessNamespace") and r.flag(spec, "hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        out.append(invalid(f"{path}.shareProcessNamespace", True, text))
    out += _sysctls(f"{path}.sysctls", context)
    out += _optional(path, context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"))
    out += _profile(path, context, "seccompProfile") + _profile(path, context, "appArmorProfile")
    out += _optional(path, context, "supplementalGroupsPolicy", ("Merge", "Strict"))
    return out + _optional(path, context, "seLinuxChangePolicy", ("MountOption", "Recursive"))


def _optional(path: str, context: Obj, key: str, supported: tuple[str, ...]) -> Errors:
    value = r.text(context, key)
    return [unsupported(f"{path}.{key}", value, supported)] if value and value not in supported else []
