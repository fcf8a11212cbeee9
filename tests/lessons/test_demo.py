"""The demo prints what the cluster did, gives up in bounded time, and always clears away."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from support.api import NS, Api, pod
from support.lessons import LESSON, changed, write

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import demo
from kubelearn.lessons.model import load

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: made, labels: {app: made}}
spec:
  containers: [{name: c, image: "web:v1"}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small lesson is the one that is found; its second step makes a pod."""
    lesson = changed(
        LESSON, "      - kubectl get configmaps", "      - kubectl get configmaps\n      - kubectl apply -f pod.yaml"
    )
    lesson = changed(lesson, "teardown:\n", "teardown:\n  - kubectl delete pod made --ignore-not-found --wait=false\n")
    folder = write(tmp_path, lesson)
    (folder / "pod.yaml").write_text(POD)
    monkeypatch.setattr(demo, "find", lambda _id: load(folder))
    monkeypatch.setattr(demo, "_LAST_LOOK", 0.3)
    return folder


async def played(client: Client, language: str = "en", seconds: float = 5.0) -> tuple[int, str]:
    said: list[str] = []
    code = await demo.play(client, "small", language, said.append, seconds)
    return code, "\n".join(said)


async def test_it_shows_commands_output_picture_and_the_causal_chain(api: Api, client: Client, folder: Path) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod("a-learner-s-own"))
    code, said = await played(client)
    assert code == 0
    assert (
        "❯ kubectl create configmap c --from-literal=a=1\nconfigmap/c created\n  ✔ answer 2\n  ✔ configmap c .data.a = 1"
        in said
    )
    assert said.count("worker-1") >= 2, "the picture after each step"
    assert "It was small." in said
    assert "❯ kubelearn why pod/made\n" in said
    assert "kubectl apply -f pod.yaml" in said[said.index("❯ kubelearn why") :]
    assert "API server" in said[said.index("❯ kubelearn why") :]
    assert "why pod/a-learner-s-own" not in said
    assert said.endswith("✔ every check passed")


async def test_it_speaks_chinese(api: Api, client: Client, folder: Path) -> None:
    await api.account()
    code, said = await played(client, "zh")
    assert code == 0
    assert "═══ 1 小课 ═══" in said
    assert said.endswith("✔ 所有检查都通过了")


async def test_it_gives_up_in_time_and_says_what_was_seen_and_wanted(api: Api, client: Client, folder: Path) -> None:
    text = (folder / "lesson.yaml").read_text()
    (folder / "lesson.yaml").write_text(changed(text, 'path: .data.a, equals: "1"', 'path: .data.a, equals: "9"'))
    async with asyncio.timeout(10):
        code, said = await played(client, seconds=0.5)
    assert code == 1
    assert "  ✗ seen: configmap c .data.a = 1; wanted: 9" in said
    assert "─── 2/2" not in said, "the next step builds on this one"
    assert said.endswith("✗ gave up at step make: its checks did not come true within 0.5 s")
    assert (await api("GET", f"{NS}/configmaps/c"))[0] == 404


async def test_a_command_that_fails_or_hangs_ends_its_step(api: Api, client: Client, folder: Path) -> None:
    text = (folder / "lesson.yaml").read_text()
    wait = "kubectl wait configmap/c --for=jsonpath={.data.a}=9 --timeout=600s"
    line = "      - kubectl create configmap c --from-literal=a=1\n    alternatives"
    (folder / "lesson.yaml").write_text(changed(text, line, line.replace("\n", f"\n      - '{wait}'\n", 1)))
    async with asyncio.timeout(10):
        code, said = await played(client, seconds=0.5)
    assert code == 1
    assert f"❯ {wait}\nerror: did not end within" in said
    (folder / "lesson.yaml").write_text(changed(text, line, line.replace("create configmap c", "create konfigmap c")))
    code, said = await played(client)
    assert code == 1
    assert "  ✗ seen: no configmap c; wanted: configmap c" in said


async def test_a_cluster_that_does_not_fit_is_said_before_anything_is_done(client: Client, folder: Path) -> None:
    text = (folder / "lesson.yaml").read_text()
    (folder / "lesson.yaml").write_text(changed(text, "nodes: 1", "nodes: 3"))
    with pytest.raises(KubelearnError, match="needs 3 nodes"):
        await played(client)


async def test_interrupted_it_clears_away(api: Api, client: Client, folder: Path) -> None:
    await api.account()
    reached = asyncio.Event()

    def say(text: str) -> None:
        if "2/2" in text:
            reached.set()

    playing = asyncio.get_running_loop().create_task(demo.play(client, "small", "en", say))
    await asyncio.wait_for(reached.wait(), 10)
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    assert playing.cancelled()
    for name in ("configmaps/c", "configmaps/other"):
        assert (await api("GET", f"{NS}/{name}"))[0] == 404
