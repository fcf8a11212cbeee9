"""The process engine on records that are damaged: a message that says what to do, and an end that leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubelearn.engines.base import ClusterSpec
from kubelearn.engines.process import ProcessEngine
from kubelearn.kit.errors import KubelearnError


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"index": "x", "pid": 0, "start": ""}', '{"index": 1}'])
async def test_a_damaged_machine_says_so_and_can_be_removed(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "nodes" / "worker-1"
    folder.mkdir(parents=True)
    (folder / "machine.json").write_text(text)
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(argv, env={"KUBELEARN_ROOT": str(folder)}) as node:
        engine = ProcessEngine(ClusterSpec("t", tmp_path, 99))
        with pytest.raises(KubelearnError, match=r"machine\.json is damaged") as said:
            await engine.start_node("worker-1")
        assert "kubelearn down --name t" in said.value.hint
        await engine.destroy()
        assert node.wait(10) == -9
    assert not folder.exists()
