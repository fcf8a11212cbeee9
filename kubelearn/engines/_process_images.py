"""The images that the process engine has: our own programs. Any other name is an honest ErrImagePull."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from kubelearn.api.cri import ContainerConfig, CriError, Image
from kubelearn.kit.data import data_dir

_APPLETS = ("wget", "nc", "nslookup", "hostname")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """`entrypoint` and `cmd` as in an image's configuration, `env` its ENV."""

    image: Image
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    env: dict[str, str]

    def argv(self, config: ContainerConfig) -> list[str]:
        """Kubernetes' rule: command replaces the entry point and drops the image's cmd, args replace cmd."""
        if config.command:
            return [*config.command, *config.args]
        return [*self.entrypoint, *(config.args or self.cmd)]


def canonical(name: str) -> str:
    """The name that containerd shows: registry and tag filled in."""
    if "@" in name:
        base, tag = name.split("@", 1)[0], "@" + name.split("@", 1)[1]
    elif ":" in name.rpartition("/")[2]:
        base, _, rest = name.rpartition(":")
        tag = ":" + rest
    else:
        base, tag = name, ":latest"
    first, slash, _ = base.partition("/")
    if not slash:
        base = "docker.io/library/" + base
    elif "." not in first and ":" not in first and first != "localhost":
        base = "docker.io/" + base
    return base + tag


@functools.cache
def built_in() -> dict[str, BuiltIn]:
    """Every image there is, by canonical name."""
    images = data_dir("assets") / "images"
    web = images / "web" / "web.py"
    found = {
        f"docker.io/kubelearn/web:{tag}": _image(
            f"docker.io/kubelearn/web:{tag}", web, json.dumps(env), (sys.executable, "-I", "-S", str(web)), (), env
        )
        for tag, env in json.loads((images / "web" / "tags.json").read_text()).items()
    }
    for tag in ("1", "latest"):
        name = f"docker.io/kubelearn/busybox:{tag}"
        found[name] = _image(name, images / "busybox" / "tools.py", "", (), ("sh",), {})
    return found


def _image(
    name: str, program: Path, salt: str, entrypoint: tuple[str, ...], cmd: tuple[str, ...], env: dict[str, str]
) -> BuiltIn:
    content = program.read_bytes()
    digest = hashlib.sha256(content + salt.encode()).hexdigest()
    return BuiltIn(Image("sha256:" + digest, [name], len(content), str(os.getuid())), entrypoint, cmd, env)


def find(name: str) -> BuiltIn:
    """Raises CriError as containerd words a name that its registry does not have."""
    full = canonical(name)
    if image := built_in().get(full):
        return image
    known = ", ".join(n.removeprefix("docker.io/") for n in built_in())
    raise CriError(
        "ErrImagePull",
        f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {full}: not found: '
        f"the process engine has no images but its own ({known})",
    )


def install_tools(folder: Path) -> None:
    """Put our network tools (which know the way through the node's proxy) into `folder`, the first on every PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = shlex.quote(str(data_dir("assets") / "images" / "busybox" / "tools.py"))
    for applet in _APPLETS:
        script = folder / applet
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {program} {applet} "$@"\n')
        script.chmod(0o755)
