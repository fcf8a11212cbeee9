"""The Pod Security Standards: what a pod may not do at the levels `baseline` and `restricted`. Pure.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ and the texts of k8s.io/pod-security-admission.
Checks are in that library's order; a restricted check replaces the baseline one of the same subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubelearn.api.resource import Obj

LEVELS = ("privileged", "baseline", "restricted")
_DEFAULT_CAPABILITIES = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
     "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)  # fmt: skip
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_SYSCTLS = frozenset(
    {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
     "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
     "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
     "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
)  # fmt: skip
_VOLUMES = frozenset(
    {"configMap", "downwardAPI", "emptyDir", "projected", "secret", "csi", "persistentVolumeClaim", "ephemeral",
     "image"}
)  # fmt: skip
_SECCOMP = ("RuntimeDefault", "Localhost")
_APPARMOR = ("RuntimeDefault", "Localhost")


@dataclass(frozen=True, slots=True)
class Violation:
    reason: str
    detail: str


Check = Callable[[Obj], Iterator[str]]


def violations(pod_spec: Obj, level: str) -> list[Violation]:
    out = []
    for reason, check in _CHECKS.get(level, ()):
        detail = "; ".join(check(pod_spec))
        if detail:
            out.append(Violation(reason, detail))
    return out


def told(found: Iterable[Violation]) -> str:
    return ", ".join(f"{v.reason} ({v.detail})" if v.detail else v.reason for v in found)


# ---- words


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(what: str, names: list[str]) -> str:
    return f"{what}{'' if len(names) == 1 else 's'} {_quoted(names)}"


def _containers(spec: Obj) -> Iterator[Obj]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(key) or ()


def _context(container: Obj) -> Obj:
    return container.get("securityContext") or {}


def _which(spec: Obj, bad: Callable[[Obj], bool]) -> list[str]:
    """Names of the containers whose security context is bad."""
    return [c["name"] for c in _containers(spec) if bad(_context(c))]


def _say(what: str, names: list[str], text: str) -> Iterator[str]:
    if names:
        yield f"{_named(what, names)} {text}"


# ---- baseline


def _app_armor(spec: Obj) -> Iterator[str]:
    def bad(context: Obj) -> str:
        kind = (context.get("appArmorProfile") or {}).get("type", "")
        return kind if kind and kind not in _APPARMOR else ""

    if kind := bad(_context(spec)):
        yield f'pod must not set AppArmor profile type to "{kind}"'
    if names := _which(spec, lambda context: bool(bad(context))):
        kinds = sorted({bad(_context(c)) for c in _containers(spec)} - {""})
        yield f"{_named('container', names)} must not set AppArmor profile type to {_quoted(kinds)}"


def _baseline_capabilities(spec: Obj) -> Iterator[str]:
    yield from _added(spec, _DEFAULT_CAPABILITIES)


def _added(spec: Obj, allowed: frozenset[str]) -> Iterator[str]:
    def extra(context: Obj) -> set[str]:
        return set((context.get("capabilities") or {}).get("add") or ()) - allowed

    if names := _which(spec, lambda context: bool(extra(context))):
        found = sorted(set[str]().union(*(extra(_context(c)) for c in _containers(spec))))
        yield f"{_named('container', names)} must not include {_quoted(found)} in securityContext.capabilities.add"


def _host_namespaces(spec: Obj) -> Iterator[str]:
    found = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if found:
        yield ", ".join(found)


def _host_paths(spec: Obj) -> Iterator[str]:
    found = [v["name"] for v in spec.get("volumes") or () if v.get("hostPath") is not None]
    if found:
        yield _named("volume", found)


def _host_ports(spec: Obj) -> Iterator[str]:
    found = {c["name"]: [p["hostPort"] for p in c.get("ports") or () if p.get("hostPort")] for c in _containers(spec)}
    names = [name for name, ports in found.items() if ports]
    ports = sorted({str(port) for some in found.values() for port in some})
    if names:
        uses = "uses" if len(names) == 1 else "use"
        yield f"{_named('container', names)} {uses} hostPort{'' if len(ports) == 1 else 's'} {', '.join(ports)}"


def _probe_hosts(spec: Obj) -> Iterator[str]:
    """KEP-4940: a probe or a hook may not name a host."""

    def hosts(container: Obj) -> list[str]:
        handlers = [container.get(probe) or {} for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [h or {} for h in (container.get("lifecycle") or {}).values()]
        found = [(h.get(kind) or {}).get("host", "") for h in handlers for kind in ("httpGet", "tcpSocket")]
        return [host for host in found if host not in ("", "127.0.0.1", "::1")]

    names = [c["name"] for c in _containers(spec) if hosts(c)]
    if names:
        found = sorted({host for c in _containers(spec) for host in hosts(c)})
        uses = "uses" if len(names) == 1 else "use"
        yield f"{_named('container', names)} {uses} probe or lifecycle host {_quoted(found)}"


def _privileged(spec: Obj) -> Iterator[str]:
    names = _which(spec, lambda context: bool(context.get("privileged")))
    yield from _say("container", names, "must not set securityContext.privileged=true")


def _proc_mount(spec: Obj) -> Iterator[str]:
    names = _which(spec, lambda context: context.get("procMount", "Default") != "Default")
    yield from _say("container", names, 'must not set securityContext.procMount to "Unmasked"')


def _se_linux(spec: Obj) -> Iterator[str]:
    def options(context: Obj) -> Obj:
        found: Obj = context.get("seLinuxOptions") or {}
        return found

    def bad(context: Obj) -> bool:
        found = options(context)
        return found.get("type", "") not in _SELINUX_TYPES or bool(found.get("user") or found.get("role"))

    names = _which(spec, bad)
    setters = (["pod"] if bad(_context(spec)) else []) + ([_named("container", names)] if names else [])
    if not setters:
        return
    everywhere = [options(_context(spec)), *(options(_context(c)) for c in _containers(spec))]
    types = sorted({o["type"] for o in everywhere if o.get("type", "") not in _SELINUX_TYPES})
    said = [f"type{'' if len(types) == 1 else 's'} {_quoted(types)}"] if types else []
    said += [f"{key} may not be set" for key in ("user", "role") if any(o.get(key) for o in everywhere)]
    yield f"{' and '.join(setters)} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"


def _seccomp_type(context: Obj) -> str:
    return str((context.get("seccompProfile") or {}).get("type", ""))


def _forbidden_seccomp(spec: Obj) -> Iterator[str]:
    def bad(context: Obj) -> bool:
        return _seccomp_type(context) not in ("", *_SECCOMP)

    if bad(_context(spec)):
        yield f'pod must not set securityContext.seccompProfile.type to "{_seccomp_type(_context(spec))}"'
    names = _which(spec, bad)
    yield from _say("container", names, 'must not set securityContext.seccompProfile.type to "Unconfined"')


def _sysctls(spec: Obj) -> Iterator[str]:
    found = [s["name"] for s in _context(spec).get("sysctls") or () if s["name"] not in _SYSCTLS]
    if found:
        yield ", ".join(found)


def _host_process(spec: Obj) -> Iterator[str]:
    def bad(context: Obj) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    if bad(_context(spec)):
        yield "pod must not set securityContext.windowsOptions.hostProcess=true"
    yield from _say("container", _which(spec, bad), "must not set securityContext.windowsOptions.hostProcess=true")


# ---- restricted


def _escalation(spec: Obj) -> Iterator[str]:
    names = _which(spec, lambda context: context.get("allowPrivilegeEscalation") is not False)
    yield from _say("container", names, "must set securityContext.allowPrivilegeEscalation=false")


def _restricted_capabilities(spec: Obj) -> Iterator[str]:
    names = _which(spec, lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    yield from _say("container", names, 'must set securityContext.capabilities.drop=["ALL"]')
    yield from _added(spec, frozenset({"NET_BIND_SERVICE"}))


def _volume_types(spec: Obj) -> Iterator[str]:
    kinds = {v["name"]: next((k for k in v if k != "name"), "emptyDir") for v in spec.get("volumes") or ()}
    names = [name for name, kind in kinds.items() if kind not in _VOLUMES]
    found = sorted({kinds[name] for name in names})
    if names:
        uses = "uses" if len(names) == 1 else "use"
        plural = "" if len(found) == 1 else "s"
        yield f"{_named('volume', names)} {uses} restricted volume type{plural} {_quoted(found)}"


def _non_root(spec: Obj) -> Iterator[str]:
    pod = _context(spec).get("runAsNonRoot")
    explicit = _which(spec, lambda context: context.get("runAsNonRoot") is False)
    if explicit or (pod is False and any("runAsNonRoot" not in _context(c) for c in _containers(spec))):
        if pod is False:
            yield "pod must not set securityContext.runAsNonRoot=false"
        yield from _say("container", explicit, "must not set securityContext.runAsNonRoot=false")
        return
    if pod is not True:
        silent = _which(spec, lambda context: context.get("runAsNonRoot") is None)
        yield from _say("pod or container", silent, "must set securityContext.runAsNonRoot=true")


def _user(spec: Obj) -> Iterator[str]:
    if _context(spec).get("runAsUser") == 0:
        yield "pod must not set runAsUser=0"
    names = _which(spec, lambda context: context.get("runAsUser") == 0)
    yield from _say("container", names, "must not set runAsUser=0")


def _required_seccomp(spec: Obj) -> Iterator[str]:
    yield from _forbidden_seccomp(spec)
    if not _seccomp_type(_context(spec)):
        silent = _which(spec, lambda context: not _seccomp_type(context))
        text = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        yield from _say("pod or container", silent, text)


_BASELINE: tuple[tuple[str, Check], ...] = (
    ("forbidden AppArmor profile", _app_armor),
    ("non-default capabilities", _baseline_capabilities),
    ("host namespaces", _host_namespaces),
    ("hostPath volumes", _host_paths),
    ("hostPort", _host_ports),
    ("probe or lifecycle host", _probe_hosts),
    ("privileged", _privileged),
    ("procMount", _proc_mount),
    ("seLinuxOptions", _se_linux),
    ("seccompProfile", _forbidden_seccomp),
    ("forbidden sysctls", _sysctls),
    ("hostProcess", _host_process),
)
_RESTRICTED: tuple[tuple[str, Check], ...] = (
    ("allowPrivilegeEscalation != false", _escalation),
    ("unrestricted capabilities", _restricted_capabilities),
    ("restricted volume types", _volume_types),
    ("runAsNonRoot != true", _non_root),
    ("runAsUser=0", _user),
    ("seccompProfile", _required_seccomp),
)
_REPLACED = frozenset({_baseline_capabilities, _forbidden_seccomp})
_CHECKS: Mapping[str, tuple[tuple[str, Check], ...]] = {
    "baseline": _BASELINE,
    "restricted": (*(entry for entry in _BASELINE if entry[1] not in _REPLACED), *_RESTRICTED),
}
