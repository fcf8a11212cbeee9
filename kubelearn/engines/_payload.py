"""What is written into a configMap, secret or projected volume: the layout of Kubernetes' AtomicWriter.

The files lie in a folder named after the moment, `..data` is a link to it, and each name at the top a link through
`..data`: one rename of `..data` changes all of them at once. Source: pkg/volume/util/atomic_writer.go.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubelearn.api.cri import VolumeFile
from kubelearn.kit.clock import utc_now

DATA = "..data"


@dataclass(frozen=True, slots=True)
class Payload:
    """`folder` holds `files`; `links` are the names at the top."""

    folder: str
    files: Mapping[str, VolumeFile]

    @property
    def links(self) -> list[str]:
        return sorted({path.partition("/")[0] for path in self.files})

    def entries(self) -> Iterator[tuple[str, VolumeFile]]:
        for path, file in sorted(self.files.items()):
            yield f"{self.folder}/{path}", file


def payload(files: Mapping[str, VolumeFile]) -> Payload:
    now = utc_now()
    return Payload(f"..{now:%Y_%m_%d_%H_%M_%S}.{secrets.randbelow(10**9):09d}", files)


_HOST_PATHS = {
    "DirectoryOrCreate": ("directory", "a directory"),
    "Directory": ("directory", "a directory"),
    "FileOrCreate": ("file", "a file"),
    "File": ("file", "a file"),
    "Socket": ("socket", "a socket file"),
    "CharDevice": ("character device", "a character device"),
    "BlockDevice": ("block device", "a block device"),
}


def host_path_problem(path: str, type_: str, kind: str) -> str:
    """Why what is at `path`, of that kind (empty for nothing), is not what a hostPath volume's type asks."""
    if not type_:
        return "" if kind else f"{path} could not be made"
    wanted, words = _HOST_PATHS[type_]
    return "" if kind == wanted else f"hostPath type check failed: {path} is not {words}"
