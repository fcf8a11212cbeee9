"""A process can give up privileges; what it cannot be given is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubelearn.api.cri import CriError, Security
from kubelearn.engines import _process_shim
from kubelearn.engines._process_privileges import check, limits


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Security(user=os.getuid() + 1), "run a container as user"),
        (Security(group=os.getgid() + 1), "run a container as group"),
        (Security(groups=[4_000_000]), "give a container the group 4000000"),
        (Security(read_only_root=True), "make a container's root filesystem read-only"),
        (Security(seccomp="Localhost"), "load a seccomp profile"),
    ],
)
def test_what_is_refused(wanted: Security, words: str) -> None:
    with pytest.raises(CriError, match=f"the process engine cannot {words}"):
        check(wanted)


def test_what_a_process_has_anyway_is_granted() -> None:
    check(Security(user=os.getuid(), group=os.getgid(), drop_capabilities=["ALL"], no_new_privileges=True))


def test_limits_name_capabilities_by_number() -> None:
    assert limits(Security()) == "-"
    assert limits(Security(no_new_privileges=True, drop_capabilities=["NET_RAW", "CAP_CHOWN"])) == "n,0,13"
    every = limits(Security(drop_capabilities=["ALL"], add_capabilities=["NET_BIND_SERVICE"])).split(",")
    assert len(every) == 40
    assert "10" not in every


def test_the_main_process_cannot_get_more() -> None:
    """As the shim's child does it before it becomes the container's program."""
    words = limits(Security(no_new_privileges=True, drop_capabilities=["ALL"]))
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(_process_shim.__file__).parent)!r})
import _process_shim
_process_shim.restrict({words!r})
os.execvp("cat", ["cat", "/proc/self/status"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seen = dict(line.split(":\t", 1) for line in done.stdout.splitlines() if ":\t" in line)
    assert seen["NoNewPrivs"].strip() == "1"
    assert int(seen["CapEff"], 16) == 0
