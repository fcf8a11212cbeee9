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
