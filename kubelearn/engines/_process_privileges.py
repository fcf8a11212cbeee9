"""What a container's securityContext asks, as far as a process of this user can do it; the rest is refused.

Every container of the process engine runs as the user who started the cluster and sees that user's files.
"""

from __future__ import annotations

import os

from kubelearn.api.cri import CriError, Security

#: In the order of their numbers. Source: include/uapi/linux/capability.h.
_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL "
    "SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
    "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE "
    "AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM "
    "BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
_CAPABILITIES = _NAMES.split()


def check(wanted: Security) -> None:
    """Raises CriError for what a process cannot be given."""
    own = {os.getgid(), *os.getgroups()}
    if wanted.user not in (-1, os.getuid()):
        _refuse(f"run a container as user {wanted.user}, only as its own ({os.getuid()})")
    if wanted.group not in (-1, os.getgid()):
        _refuse(f"run a container as group {wanted.group}, only as its own ({os.getgid()})")
    if foreign := [g for g in wanted.groups if g not in own]:
        _refuse(f"give a container the group {foreign[0]}")
    if wanted.read_only_root:
        _refuse("make a container's root filesystem read-only")
    if wanted.add_capabilities and os.getuid() != 0:
        _refuse(f"add capabilities: {', '.join(wanted.add_capabilities)}")
    if wanted.seccomp == "Localhost":
        _refuse("load a seccomp profile")


def _refuse(what: str) -> None:
    raise CriError("CreateContainerError", f"the process engine cannot {what}; the docker engine can")


def limits(wanted: Security) -> str:
    """For the shim: `-` for none, else `n` (no new privileges) and the numbers of capabilities to drop."""
    dropped: set[int] = set()
    if wanted.drop_capabilities:
        names = {name.upper().removeprefix("CAP_") for name in wanted.drop_capabilities}
        kept = {name.upper().removeprefix("CAP_") for name in wanted.add_capabilities}
        dropped = {n for n, name in enumerate(_CAPABILITIES) if name not in kept and ("ALL" in names or name in names)}
    words = (["n"] if wanted.no_new_privileges else []) + [str(n) for n in sorted(dropped)]
    return ",".join(words) or "-"
