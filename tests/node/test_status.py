from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubelearn.api.cri import Container, Sandbox
from kubelearn.node.kubelet.reporting import says_the_same
from kubelearn.node.kubelet.runtime_state import PodRuntime
from kubelearn.node.kubelet.status import View, pod_status

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BOX = Sandbox("s", "default", "p", "u", "10.244.1.2", "READY", 1.0)


def pod(policy: str = "Always", *, init: bool = False, **status: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}]}
    if init:
        spec["initContainers"] = [{"name": "i", "image": "i"}]
    meta = {"name": "p", "namespace": "default", "uid": "u", "generation": 2}
    return {"metadata": meta, "spec": spec, "status": {"qosClass": "BestEffort", **status}}


def life(name: str = "a", state: str = "RUNNING", code: int = 0, attempt: int = 0) -> Container:
    at = NOW.timestamp()
    return Container(
        f"{name}{attempt}", "s", name, "u", "i", "sha", attempt, state, at, at, at, code  # type: ignore[arg-type]
    )  # fmt: skip


def status(
    of: dict[str, Any],
    *lives: Container,
    ready: bool = True,
    waiting: dict[str, tuple[str, str]] | None = None,
    deleting: bool = False,
    end: tuple[str, str] | None = None,
) -> dict[str, Any]:
    runtime = PodRuntime([BOX], list(lives))
    view = View(runtime, "process", "10.244.0.2", NOW, waiting or {}, lambda _: True, lambda _: ready, deleting, end)
    return pod_status(of, view)


def conditions(found: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in found["conditions"]}


def test_a_running_pod() -> None:
    found = status(pod(), life())
    assert (found["phase"], found["podIP"], found["hostIP"]) == ("Running", "10.244.1.2", "10.244.0.2")
    assert list(conditions(found)) == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert set(conditions(found).values()) == {"True"}
    [container] = found["containerStatuses"]
    assert container["state"] == {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
    assert (container["containerID"], container["ready"], container["started"]) == ("process://a0", True, True)
    assert {c["observedGeneration"] for c in found["conditions"]} == {2}


def test_not_ready_says_which() -> None:
    found = status(pod(), life(), ready=False)
    ready = next(c for c in found["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False",
        "ContainersNotReady",
        "containers with unready status: [a]",
    )


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        ("Never", 0, "Succeeded"),
        ("Never", 1, "Failed"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
        ("Always", 0, "Running"),
    ],
)
def test_phase_after_the_end(policy: str, code: int, phase: str) -> None:
    found = status(pod(policy), life(state="EXITED", code=code))
    assert found["phase"] == phase
    assert found["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code
    assert conditions(found)["Ready"] == "False"


def test_waiting_for_a_restart_shows_the_last_end() -> None:
    why = ("CrashLoopBackOff", "back-off 10s restarting failed container=a pod=p_default(u)")
    found = status(pod(), life(state="EXITED", code=1, attempt=1), life(attempt=0, state="EXITED"), waiting={"a": why})
    [container] = found["containerStatuses"]
    assert container["state"] == {"waiting": {"reason": why[0], "message": why[1]}}
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["restartCount"] == 1
    assert found["phase"] == "Running"


def test_nothing_runs_yet() -> None:
    found = status(pod(), waiting={"a": ("ErrImagePull", "no")})
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull"
    assert status(
        pod(),
    )["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_initialization() -> None:
    found = status(pod(init=True), life("i"))
    assert (found["phase"], conditions(found)["Initialized"]) == ("Pending", "False")
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert status(pod("Never", init=True), life("i", "EXITED", 1))["phase"] == "Failed"
    assert conditions(status(pod(init=True), life("i", "EXITED"), life()))["Initialized"] == "True"


def test_a_deleted_pod_ends() -> None:
    deleted = pod()
    deleted["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert status(deleted, life(state="EXITED", code=143), deleting=True)["phase"] == "Failed"
    assert status(deleted, life(state="EXITED", code=0), deleting=True)["phase"] == "Succeeded"
    assert status(deleted, life(), deleting=True)["phase"] == "Running"


def test_the_deadline_fails_the_pod() -> None:
    over = ("DeadlineExceeded", "too long")
    assert status(pod(phase="Running"), life(), end=over)["phase"] == "Running", "it still runs"
    found = status(pod(phase="Running"), life(state="EXITED", code=143), end=over)
    assert (found["phase"], found["reason"], found["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_transition_times_stay_while_the_status_stays() -> None:
    before = "2025-01-01T00:00:00Z"
    old = [
        {"type": "Ready", "status": "True", "lastTransitionTime": before},
        {"type": "ContainersReady", "status": "False", "lastTransitionTime": before, "reason": "X"},
    ]
    times = {c["type"]: c["lastTransitionTime"] for c in status(pod(conditions=old), life())["conditions"]}
    assert times["Ready"] == before
    assert times["ContainersReady"] == "2026-01-02T03:04:05Z"


def test_only_news_is_written() -> None:
    found = status(pod(), life())
    stored = {**found, "conditions": [*found["conditions"], {"type": "Other", "status": "True"}], "extra": 1}
    assert says_the_same(found, stored)
    assert not says_the_same(status(pod(), life(), ready=False), stored)


def test_a_container_in_its_post_start_hook_does_not_run_yet() -> None:
    runtime = PodRuntime([BOX], [life()])
    view = View(
        runtime, "process", "n", NOW, {}, lambda _: True, lambda _: True, in_hook=lambda container: container == "a0"
    )
    found = pod_status(pod(), view)
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert conditions(found)["ContainersReady"] == "False"


def test_an_ephemeral_container_has_a_status_of_its_own() -> None:
    debugged = pod()
    debugged["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "i"}]
    [found] = status(debugged, life(), life("debug"))["ephemeralContainerStatuses"]
    assert "running" in found["state"]
    assert found["ready"] is False
    assert conditions(status(debugged, life()))["Ready"] == "True"


def test_readiness_gates_are_named_when_they_are_missing_and_when_they_are_false() -> None:
    gated = pod(conditions=[{"type": "x/two", "status": "False"}])
    gated["spec"]["readinessGates"] = [{"conditionType": "x/one"}, {"conditionType": "x/two"}]
    ready = next(c for c in status(gated, life())["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    assert ready["message"] == (
        'corresponding condition of pod readiness gate "x/one" does not exist., '
        'the status of pod readiness gate "x/two" is not "True", but False'
    )


def test_a_pod_has_not_succeeded_while_a_sidecar_runs() -> None:
    sided = pod("Never", init=True, phase="Running")
    sided["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert status(sided, life("i"), life(state="EXITED"))["phase"] == "Running"
    assert status(sided, life("i", "EXITED"), life(state="EXITED"))["phase"] == "Succeeded"


def test_what_could_not_be_started_waits_only_if_it_is_tried_again() -> None:
    waiting = {"a": ("RunContainerError", "no such file")}
    failed = life(state="EXITED", code=128)
    [once] = status(pod("Never"), failed, waiting=waiting)["containerStatuses"]
    [again] = status(pod("OnFailure"), failed, waiting=waiting)["containerStatuses"]
    assert once["state"]["terminated"]["exitCode"] == 128
    assert again["state"]["waiting"]["reason"] == "RunContainerError"
