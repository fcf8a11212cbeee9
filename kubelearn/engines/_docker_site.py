"""What goes into a node's image: kubelearn's own source and the Python packages that a node imports."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kubelearn.kit.data import PACKAGE
from kubelearn.kit.errors import KubelearnError

_PARTS = ("api", "client", "kit", "node", "trace")  # node and what it may import
_ROOTS = ("aiohttp", "dnslib", "h11", "orjson", "PyYAML", "uvloop")


def source() -> dict[str, bytes]:
    """The package's files, by path."""
    files = [PACKAGE / "__init__.py"]
    for part in _PARTS:
        files += [p for p in (PACKAGE / part).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {f"kubelearn/{p.relative_to(PACKAGE).as_posix()}": p.read_bytes() for p in files if p.exists()}


@functools.cache
def _closure() -> dict[str, importlib.metadata.Distribution]:
    """The roots and what they need, as installed here, by name."""
    found: dict[str, importlib.metadata.Distribution] = {}
    todo = list(_ROOTS)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform or an older Python
        for need in found[name].requires or ():
            if "extra ==" not in need and (match := re.match(r"[A-Za-z0-9._-]+", need)):
                todo.append(match[0])
    return found


@functools.cache
def versions() -> str:
    """Of all packages; part of the image's hash."""
    return " ".join(f"{name}=={found.version}" for name, found in sorted(_closure().items()))


def packages(python: tuple[int, int], progress: Callable[[str], None]) -> dict[str, bytes]:
    """Their files for an image with that Python, by path. Raises KubelearnError when pip cannot fetch them."""
    same = sys.version_info[:2] == python and sys.implementation.name == "cpython"
    if same and sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        return dict(_installed())
    progress(f"fetching Python packages for Python {python[0]}.{python[1]}")
    return _fetched(python)


def _installed() -> Iterator[tuple[str, bytes]]:
    for found in _closure().values():
        for path in found.files or ():
            if ".." not in path.parts and "__pycache__" not in path.parts:
                located = Path(str(found.locate_file(path)))
                if located.is_file():
                    yield path.as_posix(), located.read_bytes()


def _fetched(python: tuple[int, int]) -> dict[str, bytes]:
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    wanted = [f"{name}=={found.version}" for name, found in _closure().items()]
    with tempfile.TemporaryDirectory(prefix="kubelearn-") as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--only-binary=:all:"]
        command += ["--no-deps", "--python-version", f"{python[0]}.{python[1]}"]
        for tag in ("manylinux2014", "manylinux_2_17", "manylinux_2_28"):
            command += ["--platform", f"{tag}_{machine}"]
        done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            raise KubelearnError(
                f"cannot fetch the nodes' Python packages for Python {python[0]}.{python[1]}",
                done.stderr.strip()[-1500:],
            )
        root = Path(folder)
        return {
            p.relative_to(root).as_posix(): p.read_bytes()
            for p in root.rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }
