"""A record that cannot be read ends its sandbox, whose process would otherwise run beside the new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubelearn.engines import _process_records as records


@pytest.mark.parametrize("content", ["", "}{", '{"node": "worker-1"', "[]", '{"node": "worker-1", "config": {}}'])
def test_a_damaged_sandbox_ends_with_its_processes(tmp_path: Path, content: str) -> None:
    sandbox = tmp_path / "pods" / "uid" / "sandbox"
    root = sandbox / "container" / "root"
    root.mkdir(parents=True)
    (sandbox / "sandbox.json").write_text(content)
    env = {**os.environ, "KUBELEARN_ROOT": str(root)}
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=env) as process:
        assert list(records.load(tmp_path / "pods", "worker-1")) == []
        assert process.wait(10) == -9
    assert not sandbox.exists()
