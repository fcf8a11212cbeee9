"""Building the images that the docker engine needs. Blocking code: it runs before there is a cluster.

An image carries the hash of what it was made from, so that a changed recipe makes it anew. Where a registry answers the
base is Python's own image; where none does, mmdebstrap makes a Debian. Nodes need a few Python packages: this
interpreter's copies when the image has the same Python, else pip fetches those that fit.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubelearn.engines import _docker_api, _docker_site
from kubelearn.kit.data import data_dir
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from docker import APIClient

RECIPE = "kubelearn.dev/recipe"
BASE, PAUSE, BUSYBOX = "kubelearn/base:1", "kubelearn/pause:1", "kubelearn/busybox:1"
_ROOTFS = "kubelearn/rootfs:1"
_PACKAGES = "python3,nftables,iproute2,busybox"
_BUILD_SECONDS = 900
_KEEP_SECONDS = 24 * 3600

Progress = Callable[[str], None]
Context = dict[str, bytes]  # path in the build context → content


@dataclass(frozen=True, slots=True)
class Recipe:
    """`files` makes the build context but for what only a build can know; `salt` stands for that in the hash."""

    tag: str
    files: Callable[[], Context]
    salt: str = ""

    @property
    def hash(self) -> str:
        digest = hashlib.sha256(self.salt.encode())
        for path, content in sorted(self.files().items()):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]


def _folder(name: str, extra: str = "") -> Context:
    root = data_dir("assets") / "images" / name
    files = {p.name: p.read_bytes() for p in root.iterdir() if p.is_file()}
    files["Dockerfile"] += extra.encode()
    return files


def _node_files() -> Context:
    return _folder("node") | {f"site/{path}": content for path, content in _docker_site.source().items()}


@functools.cache
def node_tag() -> str:
    """By content: a cluster keeps its nodes' image when kubelearn is upgraded, until it starts anew."""
    return "kubelearn/node:" + Recipe("", _node_files, _docker_site.versions()).hash


def recipes() -> list[Recipe]:
    """In the order in which they must be built."""
    web = json.loads((data_dir("assets") / "images" / "web" / "tags.json").read_text())
    busybox = Recipe(BUSYBOX, lambda: _folder("busybox"))
    found = [
        Recipe(BASE, lambda: _folder("base"), _PACKAGES),
        busybox,
        dataclasses.replace(busybox, tag="kubelearn/busybox:latest"),
        Recipe(PAUSE, lambda: _folder("pause"), busybox.hash),
        Recipe(node_tag(), _node_files, _docker_site.versions()),
    ]
    for tag, env in web.items():
        lines = "".join(f"ENV {name}={json.dumps(value)}\n" for name, value in env.items())
        found.append(Recipe(f"kubelearn/web:{tag}", functools.partial(_folder, "web", lines)))
    return found


def missing_images() -> list[str]:
    """Raises DockerError when Docker does not answer."""
    api = _docker_api.connect()
    try:
        return [recipe.tag for recipe in _missing(api)]
    finally:
        api.close()


def _missing(api: APIClient) -> list[Recipe]:
    """What stands on an image that is not there must be built too."""
    with _docker_api.errors():
        have = {
            tag: (image.get("Labels") or {}).get(RECIPE, "")
            for image in api.images(filters={"label": RECIPE})
            for tag in image.get("RepoTags") or ()
        }
    wanted = recipes()
    if have.get(BASE) != wanted[0].hash:
        return wanted
    return [recipe for recipe in wanted if have.get(recipe.tag) != recipe.hash]


def build_images(progress: Progress) -> None:
    """Builds what is missing; raises KubelearnError with what to do."""
    api = _docker_api.connect(_BUILD_SECONDS)
    try:
        for recipe in _missing(api):
            progress(f"building image {recipe.tag}")
            if recipe.tag == BASE:
                source = _base(api, progress)
                _build(api, recipe, recipe.files(), {"FROM": source})
            elif recipe.tag == node_tag():
                packages = _docker_site.packages(_python_version(api), progress)
                _build(api, recipe, recipe.files() | {f"site/{p}": c for p, c in packages.items()})
            else:
                _build(api, recipe, recipe.files())
        _prune(api)
    finally:
        api.close()


def _prune(api: APIClient) -> None:
    """Former versions of the nodes' image, unless a node still runs on one."""
    from docker.errors import APIError

    with _docker_api.errors():
        for image in api.images("kubelearn/node", filters={"label": RECIPE}):
            old = image["Created"] < time.time() - _KEEP_SECONDS
            for tag in image.get("RepoTags") or ():
                if old and tag != node_tag():
                    with contextlib.suppress(APIError):
                        api.remove_image(tag)


def _build(api: APIClient, recipe: Recipe, files: Context, args: dict[str, str] | None = None) -> None:
    with _docker_api.errors():
        steps = api.build(
            fileobj=io.BytesIO(pack(files.items())),
            custom_context=True,
            tag=recipe.tag,
            labels={RECIPE: recipe.hash},
            buildargs=args or {},
            rm=True,
            forcerm=True,
            decode=True,
        )
        output = []
        for step in steps:
            output.append(str(step.get("stream", "")))
            if problem := step.get("error"):
                tail = "".join(output)[-2000:].strip()
                raise KubelearnError(f"cannot build {recipe.tag}: {problem}", tail)


def pack(files: Iterable[tuple[str, bytes]], mode: int = 0o644, at: float = 0.0) -> bytes:
    """A tar archive, the same bytes for the same files; `at` is when they were last changed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(files):
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(content), mode, int(at)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _base(api: APIClient, progress: Progress) -> str:
    """Python's image when it is there or a registry has it, else our own Debian."""
    from docker.errors import APIError, ImageNotFound

    tag = f"{sys.version_info.major}.{sys.version_info.minor}-slim"
    name = f"python:{tag}"
    with _docker_api.errors():
        try:
            _docker_api.image(api, name)
            return name
        except ImageNotFound:
            progress(f"pulling {name}")
        try:
            api.pull("python", tag)
            return name
        except APIError as error:
            reason = error.explanation or str(error)
    if not shutil.which("mmdebstrap"):
        raise KubelearnError(
            f"cannot pull {name}: {reason}",
            "let Docker reach a registry, or install mmdebstrap (apt install mmdebstrap) to build without one",
        )
    progress("no registry answers: making a Debian with mmdebstrap (half a minute)")
    return _bootstrap(api)


def _bootstrap(api: APIClient) -> str:
    """A small Debian as image `_ROOTFS`."""
    with tempfile.TemporaryDirectory(prefix="kubelearn-") as folder:
        archive = Path(folder) / "rootfs.tar"
        command = ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}"]
        command += ['--aptopt=APT::Install-Recommends "false"']
        command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
        done = subprocess.run([*command, _suite(), str(archive)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise KubelearnError(
                "mmdebstrap could not make a Debian", done.stderr.strip()[-1500:] or "run it by hand to see why"
            )
        repository, _, tag = _ROOTFS.partition(":")
        with _docker_api.errors():
            api.import_image_from_file(str(archive), repository=repository, tag=tag)
    return _ROOTFS


def _suite() -> str:
    """This machine's when it is a Debian (its mirrors are then used), else the stable one."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    codename = facts.get("VERSION_CODENAME", "").strip('"')
    return codename if codename and facts.get("ID", "").strip('"') == "debian" else "stable"


def _python_version(api: APIClient) -> tuple[int, int]:
    """The base image's."""
    with _docker_api.errors():
        command = ["python3", "-c", "import sys; print(*sys.version_info[:2])"]
        made = api.create_container(BASE, command, labels={_docker_api.ROLE: "build"})
        try:
            api.start(made["Id"])
            api.wait(made["Id"])
            major, minor = api.logs(made["Id"]).split()
        finally:
            api.remove_container(made["Id"], force=True)
    return int(major), int(minor)
