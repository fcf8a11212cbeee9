"""`lesson verify` against a real API server: it proves a sound lesson, and finds each seeded fault."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from support.api import NS, Api, configmap
from support.lessons import FILE, LESSON, changed, write

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import verify as module
from kubelearn.lessons.engine import LessonRun
from kubelearn.lessons.model import load
from kubelearn.lessons.verify import unproven, verify

SOLUTION = "      - kubectl create configmap c --from-literal=a=1\n    alternatives"
WRONG = '["kubectl create configmap c --from-literal=a=2"]'


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SETTLE", "SHOWING", "CLEARING"):
        monkeypatch.setattr(module, name, 0.05)


async def found(client: Client, folder: Path, said: list[str] | None = None) -> list[str]:
    heard: list[str] = [] if said is None else said
    return await verify(client, load(folder), heard.append, patience=0.2)


async def configmaps(api: Api) -> list[str]:
    listed = await api.ok("GET", f"{NS}/configmaps")
    return [item["metadata"]["name"] for item in listed["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]


async def test_a_sound_lesson_is_proven_and_leaves_nothing(api: Api, client: Client, tmp_path: Path) -> None:
    said: list[str] = []
    assert await found(client, write(tmp_path), said) == []
    assert said == [
        "small: round 1 of 2",
        "  ✔ make",
        "  ✔ look",
        "small: round 2 of 2",
        "  ✔ make",
        "  ✔ look",
        "  ✔ make: alternative kubectl apply -f c.yaml",
        "  ✔ make: refuses kubectl create configmap c --from-literal=a=2",
    ]
    assert await configmaps(api) == []


async def test_what_an_interrupted_run_left_is_no_fault(api: Api, client: Client, tmp_path: Path) -> None:
    await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
    assert await found(client, write(tmp_path)) == []


async def test_static_faults_come_first_and_alone(client: Client, tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "stray.txt").write_text("")
    assert await found(client, folder) == ["stray file stray.txt: no command of the lesson uses it"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "create configmap other --from-literal=a=0",
            "create configmap c --from-literal=a=1",
            "make: check resource is true before the solution: configmap c .data.a = 1",
        ),
        (
            SOLUTION,
            SOLUTION.replace("a=1", "a=3"),
            "make: after kubectl create configmap c --from-literal=a=3: check resource: seen configmap c .data.a = 3, wanted 1",
        ),
        (
            SOLUTION,
            SOLUTION.replace("create configmap c --from-literal=a=1", "delete configmap c"),
            'make: lesson small: `kubectl delete configmap c` failed: Error from server (NotFound): configmaps "c" not found',
        ),
        (
            WRONG,
            WRONG.replace("a=2", "a=1"),
            "make: wrong solution kubectl create configmap c --from-literal=a=1 passes",
        ),
        (
            "configmap c .data.a = 2, wanted 1",
            "no such thing",
            "make: wrong solution kubectl create configmap c --from-literal=a=2: "
            "got ['seen configmap c .data.a = 2, wanted 1'], not 'no such thing'",
        ),
        (
            WRONG,
            '["kubectl delete configmap c"]',
            'make: lesson small: `kubectl delete configmap c` failed: Error from server (NotFound): configmaps "c" not found'
            " (a wrong solution is made of commands that work)",
        ),
        ("{kind: configmap, name", "{kind: konfigmap, name", 'the server doesn\'t have a resource type "konfigmap"'),
        (
            "delete configmap c other",
            "delete configmap other",
            "make: check resource is true before the solution: configmap c .data.a = 1",
        ),
        ("nodes: 1", "nodes: 3", "lesson small needs 3 nodes, this cluster has 1"),
        ("[docker, process]", "[docker]", "lesson small needs engine docker, this cluster's is process"),
    ],
)
async def test_a_seeded_fault_is_found(client: Client, tmp_path: Path, old: str, new: str, problem: str) -> None:
    problems = await found(client, write(tmp_path, changed(LESSON, old, new)))
    assert problems
    assert problems[0] == problem


async def test_an_alternative_that_does_not_pass_is_found(client: Client, tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "c.yaml").write_text(FILE.replace("'1'", "'7'"))
    assert await found(client, folder) == [
        "make: after kubectl apply -f c.yaml: check resource: seen configmap c .data.a = 7, wanted 1"
    ]


async def test_a_check_that_becomes_true_by_itself_is_found(
    api: Api, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE", 5.0)
    look = LessonRun.look
    looks = 0

    async def look_and_drift(run: Any, step: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 3:
            await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
        return await look(run, step)

    monkeypatch.setattr(LessonRun, "look", look_and_drift)
    problems = await found(client, write(tmp_path))
    assert problems[0] == "make: check resource is true before the solution: configmap c .data.a = 1"
    assert looks >= 3


async def test_what_teardown_leaves_lacks_and_changes_is_found(api: Api, client: Client, tmp_path: Path) -> None:
    await api.ok("POST", f"{NS}/configmaps", configmap("precious"))
    lines = (
        "      - kubectl get configmaps\n"
        "      - kubectl create configmap forgotten --dry-run=client\n"
        "      - kubectl apply -f forgotten.yaml\n"
        "      - kubectl delete configmap precious --ignore-not-found\n"
        "      - kubectl cordon worker-1\n"
    )
    folder = write(tmp_path, changed(LESSON, "      - kubectl get configmaps\n", lines))
    (folder / "forgotten.yaml").write_text(FILE.replace("name: c", "name: forgotten"))
    assert await found(client, folder) == [
        "teardown leaves configmaps default/forgotten",
        "teardown lacks configmaps default/precious",
        "teardown changed nodes /worker-1",
    ]


async def test_what_was_found_is_not_lost_when_teardown_fails(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teardown, times = LessonRun.teardown, 0

    async def fail_at_the_end(run: Any) -> None:
        nonlocal times
        times += 1
        if times > 2:
            raise KubelearnError("the power is off")
        await teardown(run)

    monkeypatch.setattr(LessonRun, "teardown", fail_at_the_end)
    problems = await found(client, write(tmp_path, changed(LESSON, SOLUTION, SOLUTION.replace("a=1", "a=3"))))
    assert problems[0].startswith("make: after kubectl create configmap c --from-literal=a=3")
    assert problems[1:] == ["the power is off"]


async def test_an_interrupted_proof_takes_the_lesson_down(api: Api, client: Client, tmp_path: Path) -> None:
    reached = asyncio.Event()

    def say(text: str) -> None:
        if text == "  ✔ make":
            reached.set()

    proof = asyncio.get_running_loop().create_task(verify(client, load(write(tmp_path)), say))
    await asyncio.wait_for(reached.wait(), 10)
    assert await configmaps(api) == ["c", "other"]
    proof.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await proof
    assert proof.cancelled()
    assert await configmaps(api) == []


async def test_the_engines_that_a_proof_says_nothing_about_are_named(tmp_path: Path) -> None:
    lesson = load(write(tmp_path))
    assert unproven(lesson, "process") == ["docker"]
    assert unproven(lesson, "containerd") == ["docker", "process"]
