"""Our kubectl says what real kubectl says: the command lines of `parity/*.txt`, by both, on one cluster.

Each program works in a namespace of its own; exit status, standard output and error must be equal once masked
(support/parity.py). A file is one story: its lines run in order, `@@` is the namespace, `%%` a node of
the program's own, `<<EOF` as in a shell.
A line that starts with `!` is left out: the reason is on the line before it. A file whose first line says "settling" is
about what the cluster does by itself: what only reads is asked again until both agree, for a while.
"""

from __future__ import annotations

import difflib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clusters import Cluster, Done, start
from support.parity import Side, differs

STORIES = sorted((Path(__file__).parent / "parity").glob("*.txt"))
FILES = Path(__file__).parent / "parity"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of its own: what other tests leave in a cluster would be seen here."""
    made = start("process", tmp_path_factory.mktemp("home"), f"parity-{os.getpid()}")
    yield made
    made.command("down")


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Command lines, each with its standard input."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line or line.startswith(("#", "!")):
            continue
        command, here, _ = line.partition(" <<EOF")
        stdin = "".join(f"{one}\n" for one in itertools.takewhile(lambda one: one != "EOF", lines)) if here else ""
        yield command, stdin


def shown(line: str, expected: Done, got: Done) -> str:
    out = [f"\nkubectl {line}\n"]
    if expected.code != got.code:
        out.append(f"  exit status {got.code}, kubectl's is {expected.code}\n")
    for what in ("out", "err"):
        a, b = getattr(expected, what).splitlines(), getattr(got, what).splitlines()
        out += [f"  {row}\n" for row in difflib.unified_diff(a, b, f"kubectl {what}", f"our {what}", lineterm="", n=1)]
    return "".join(out)


@pytest.mark.e2e
@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_both_programs_say_the_same(cluster: Cluster, story: Path, tmp_path: Path) -> None:
    sides = []
    for word in ("our", "ref"):
        namespace = f"{word}-{story.stem}"
        kubeconfig = tmp_path / word / "kubeconfig"
        kubeconfig.parent.mkdir()
        shutil.copy(cluster.env["KUBECONFIG"], kubeconfig)
        side = Side(cluster, word == "our", namespace, kubeconfig, FILES)
        assert cluster.kubectl("create", "namespace", namespace).code == 0
        assert side.run(f"config set-context --current --namespace={namespace}").code == 0
        sides.append(side)
    ours, real = sides
    text = story.read_text()
    patience = 8.0 if "settling" in text.splitlines()[0] else 0.0
    found = [(line, differs(ours, real, line, stdin, patience)) for line, stdin in steps(text)]
    assert len(found) > 10
    wrong = [shown(line, *both) for line, both in found if both is not None]
    assert not wrong, f"{len(wrong)} of {len(found)} differ:\n" + "".join(wrong)
