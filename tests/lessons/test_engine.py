"""Playing a lesson: what a step holds, forgets and waits for; that every line and every wait ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.api import NS, Api, configmap, pod
from support.lessons import LESSON, changed, write

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons.engine import LessonRun, engine_of
from kubelearn.lessons.model import load
from kubelearn.lessons.runner import TIMED_OUT, Output, Runner

PAUSING = changed(LESSON, "  - id: make\n", "  - id: make\n    pause: [kube-scheduler]\n")


async def opened(client: Client, folder: Path) -> LessonRun:
    return await LessonRun.open(client, load(folder))


async def paused(api: Api) -> list[str]:
    gates = await api.ok("GET", "/apis/kubelearn.dev/v1alpha1/gates")
    return [g["metadata"]["name"] for g in gates["items"] if g["spec"].get("paused")]


@pytest.fixture
async def run(client: Client, tmp_path: Path) -> LessonRun:
    return await opened(client, write(tmp_path, PAUSING))


class TestSteps:
    async def test_a_step_holds_what_it_names_and_the_next_lets_go(self, api: Api, run: LessonRun) -> None:
        make, look = run.lesson.steps
        await run.enter(make)
        assert await paused(api) == ["kube-scheduler"]
        await run.enter(look)
        assert await paused(api) == []

    async def test_teardown_lets_go_and_removes_what_was_made(self, api: Api, run: LessonRun) -> None:
        await run.start()
        await run.enter(run.lesson.steps[0])
        await run.teardown()
        assert await paused(api) == []
        assert (await api("GET", f"{NS}/configmaps/other"))[0] == 404

    async def test_what_counted_for_the_last_step_counts_no_more(self, api: Api, run: LessonRun) -> None:
        make, look = run.lesson.steps
        await run.enter(make)
        run.context.answers["make"] = "2"
        await run.must("kubectl get configmaps")
        before = run.context.since
        await api.ok("POST", f"{NS}/configmaps", configmap("news"))
        await run.enter(look)
        assert run.context.commands == []
        assert run.context.answers == {}
        assert run.context.since > before

    async def test_a_start_that_fails_leaves_nothing(self, api: Api, client: Client, tmp_path: Path) -> None:
        broken = changed(LESSON, "teardown:\n", "  - kubectl get configmap no-such-thing\nteardown:\n")
        run = await opened(client, write(tmp_path, broken))
        with pytest.raises(KubelearnError, match="lesson small: `kubectl get configmap no-such-thing` failed"):
            await run.start()
        assert (await api("GET", f"{NS}/configmaps/other"))[0] == 404

    async def test_a_cluster_that_does_not_fit_is_refused(self, client: Client, tmp_path: Path) -> None:
        with pytest.raises(KubelearnError, match="needs 2 nodes, this cluster has 1") as caught:
            await opened(client, write(tmp_path, changed(LESSON, "nodes: 1", "nodes: 2")))
        assert "kubelearn up --name lesson --nodes 2" in caught.value.hint
        with pytest.raises(KubelearnError, match="needs engine docker, this cluster's is process") as caught:
            await opened(client, write(tmp_path, changed(LESSON, "[docker, process]", "[docker]")))
        assert "--engine docker" in caught.value.hint

    def test_the_engine_is_what_the_nodes_say(self) -> None:
        node = {"status": {"nodeInfo": {"containerRuntimeVersion": "containerd://2.0.1"}}}
        assert engine_of([{"status": {}}, node]) == "containerd"
        assert engine_of([]) == ""


class TestWaiting:
    async def test_it_ends_when_the_checks_pass(self, api: Api, run: LessonRun) -> None:
        make = run.lesson.steps[0]
        looks: list[int] = []

        def each(checked: list[Any]) -> None:
            looks.append(sum(c.result.passed for c in checked))

        await run.enter(make)
        run.context.answers["make"] = "2"
        await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
        checked = await run.wait(make, 10, each)
        assert all(c.result.passed for c in checked)
        assert looks == [2]

    async def test_it_ends_in_time_with_what_was_seen_last(self, run: LessonRun) -> None:
        make = run.lesson.steps[0]
        quiz, resource = await run.wait(make, 0.3)
        assert quiz.result.message == "seen no answer yet, wanted the right answer"
        assert resource.result.message == "seen no configmap c, wanted configmap c"

    async def test_a_check_that_hangs_is_not_waited_for(self, run: LessonRun, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hang(_self: LessonRun, _step: Any) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(LessonRun, "look", hang)
        checked = await run.wait(run.lesson.steps[0], 0.1)
        assert [c.result.message for c in checked] == ["seen no answer from the cluster, wanted an answer"] * 2


class TestRunner:
    @pytest.fixture
    def runner(self, client: Client, tmp_path: Path) -> Runner:
        return Runner(client, write(tmp_path))

    async def test_a_line_that_works_counts_and_its_output_is_kept(self, runner: Runner) -> None:
        output = await runner.run("kubectl create configmap c --from-literal=a=1")
        assert output == Output("kubectl create configmap c --from-literal=a=1", 0, "configmap/c created\n")
        assert runner.commands == ["kubectl create configmap c --from-literal=a=1"]

    async def test_files_are_those_of_the_lesson(self, runner: Runner) -> None:
        assert (await runner.run("k apply -f c.yaml")).text == "configmap/c created\n"

    async def test_a_line_that_fails_says_why_and_does_not_count(self, runner: Runner) -> None:
        output = await runner.run("kubectl get configmap nope")
        assert output.code == 1
        assert output.text == 'Error from server (NotFound): configmaps "nope" not found\n'
        assert (await runner.run("kubectl get 'nope")).text == "error: No closing quotation\n"
        assert (await runner.run("rm -rf x")).code == 1
        assert runner.commands == []

    async def test_kubelearn_s_own_commands_and_kubectl_behind_it(self, runner: Runner) -> None:
        await runner.run("kubelearn kubectl create configmap c")
        output = await runner.run("kubelearn why configmap/c")
        assert output.code == 0
        assert "kubelearn kubectl create configmap c" in output.text

    async def test_a_name_that_only_the_cluster_knows_is_filled_in(self, api: Api, runner: Runner) -> None:
        await api.account()
        for name in ("web-b", "web-a"):
            body = pod(name)
            body["metadata"]["labels"] = {"app": "web"}
            await api.ok("POST", f"{NS}/pods", body)
        assert (await runner.run("kubectl get pod ${pod:app=web} -o name")).text == "pod/web-a\n"
        assert (await runner.run("kubectl get pod ${pod:app=db}")).line == "kubectl get pod no-such-pod"

    async def test_a_line_that_does_not_end_is_ended(self, api: Api, runner: Runner) -> None:
        await api.account()
        await api.ok("POST", f"{NS}/pods", pod("p"))
        output = await runner.run("kubectl wait pod/p --for=condition=Ready --timeout=600s", 0.2)
        assert output.code == TIMED_OUT
        assert output.text.endswith("error: did not end within 0.2 s\n")
        assert runner.commands == []
