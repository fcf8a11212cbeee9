"""Images on the docker engine. Names that begin with kubelearn/ are made here and never fetched: nobody else's image of
that name may end up in a cluster."""

from __future__ import annotations

from typing import Any

from kubelearn.api.cri import CriError, Image
from kubelearn.engines import _docker_api
from kubelearn.engines._docker_api import Docker, DockerError
from kubelearn.engines._process_images import canonical

_OURS = "docker.io/kubelearn/"


async def status(docker: Docker, name: str) -> Image | None:
    """None when Docker does not have it. Raises DockerError."""
    try:
        return _image(await docker.call(lambda api: _docker_api.image(api, _local(name))))
    except DockerError as error:
        if error.status == 404:
            return None
        raise


async def pull(docker: Docker, name: str) -> Image:
    """Raises CriError as containerd words it."""
    full = canonical(name)
    prefix = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
    try:
        if full.startswith(_OURS):
            image = await status(docker, name)
            if image is None:
                raise CriError("ErrImagePull", f"{prefix}{full}: not found")
            return image
        repository, _, tag = full.partition("@") if "@" in full else full.rpartition(":")
        await docker.call(lambda api: api.pull(repository, tag))
        image = await status(docker, name)
    except DockerError as error:
        problem = f"{full}: not found" if error.status == 404 else error.message
        raise CriError("ErrImagePull", prefix + problem) from error
    if image is None:
        raise CriError("ErrImagePull", f"{prefix}{full}: not found")
    return image


async def images(docker: Docker) -> list[Image]:
    """All that have a name. Raises DockerError."""
    found: list[dict[str, Any]] = await docker.call(lambda api: api.images())
    return [_image(i) for i in found if i.get("RepoTags") and i["RepoTags"] != ["<none>:<none>"]]


def _image(seen: dict[str, Any]) -> Image:
    return Image(
        seen["Id"],
        [canonical(tag) for tag in seen.get("RepoTags") or ()],
        int(seen["Size"]),
        (seen.get("Config") or {}).get("User") or "",
    )


def _local(name: str) -> str:
    return name.removeprefix("docker.io/library/").removeprefix("docker.io/")
