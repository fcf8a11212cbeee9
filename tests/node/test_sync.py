"""The kubelet's decisions, without a runtime: what is to be done for a pod whose containers are in this state."""

from __future__ import annotations

from typing import Any

from kubelearn.api.cri import Container, Sandbox
from kubelearn.node.kubelet import sync
from kubelearn.node.kubelet.backoff import Backoff
from kubelearn.node.kubelet.runtime_state import PodRuntime

NOW = 1000.0


def pod(*names: str, policy: str = "Always", init: tuple[dict[str, Any], ...] = (), **status: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"restartPolicy": policy, "containers": [{"name": n, "image": "i"} for n in names]}
    if init:
        spec["initContainers"] = [{"image": "i", **i} for i in init]
    return {"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": spec, "status": status}


def sandbox(state: str = "READY", some_id: str = "s0", attempt: int = 0) -> Sandbox:
    return Sandbox(some_id, "default", "p", "u", "10.244.1.2", state, 1.0, attempt)  # type: ignore[arg-type]


def container(name: str, state: str = "RUNNING", *, attempt: int = 0, code: int = 0, where: str = "s0") -> Container:
    return Container(
        f"{name}-{attempt}",
        where,
        name,
        "u",
        "i",
        "sha",
        attempt,
        state,  # type: ignore[arg-type]
        created_at=attempt,
        started_at=attempt,
        finished_at=NOW - 1 if state == "EXITED" else 0,
        exit_code=code,
    )


def facts(*, unhealthy: dict[str, str] | None = None, may_start_at: float = 0.0, started: bool = True) -> sync.Facts:
    return sync.Facts(NOW, unhealthy or {}, lambda _: started, lambda _name, _last: may_start_at)


def names(plan: sync.Plan) -> list[tuple[str, int]]:
    return [(s.spec["name"], s.attempt) for s in plan.start]


def test_a_new_pod_gets_a_sandbox_then_its_containers() -> None:
    first = sync.plan(pod("a", "b"), PodRuntime(), facts())
    assert (first.create_sandbox, first.sandbox_attempt, first.start) == (True, 0, [])
    second = sync.plan(pod("a", "b"), PodRuntime([sandbox()]), facts())
    assert names(second) == [("a", 0), ("b", 0)]


def test_what_runs_is_left_alone() -> None:
    assert sync.plan(pod("a"), PodRuntime([sandbox()], [container("a")]), facts()) == sync.Plan(sandbox())


def test_restart_by_policy() -> None:
    ended = [container("a", "EXITED", code=1)]
    for policy, code, wanted in (
        ("Always", 0, [("a", 1)]),
        ("OnFailure", 1, [("a", 1)]),
        ("OnFailure", 0, []),
        ("Never", 1, []),
    ):
        ended[0].exit_code = code
        assert names(sync.plan(pod("a", policy=policy), PodRuntime([sandbox()], ended), facts())) == wanted


def test_a_crash_loop_waits() -> None:
    runtime = PodRuntime([sandbox()], [container("a", "EXITED", code=1)])
    found = sync.plan(pod("a"), runtime, facts(may_start_at=NOW + 10))
    assert (found.start, found.waiting) == ([], {"a": NOW + 10})


def test_a_finished_pod_loses_its_sandbox() -> None:
    runtime = PodRuntime([sandbox()], [container("a", "EXITED")])
    found = sync.plan(pod("a", policy="Never"), runtime, facts())
    assert found.stop == [sandbox()]
    again = sync.plan(pod("a", policy="Never"), PodRuntime([sandbox("NOTREADY")], runtime.containers), facts())
    assert (again.create_sandbox, again.start) == (False, [])


def test_a_lost_sandbox_is_made_anew_and_everything_in_it() -> None:
    dead = [container("a", "EXITED", code=137)]
    found = sync.plan(pod("a"), PodRuntime([sandbox("NOTREADY")], dead), facts())
    assert (found.create_sandbox, found.sandbox_attempt) == (True, 1)
    both = [sandbox("NOTREADY"), sandbox("READY", "s1", 1)]
    assert names(sync.plan(pod("a"), PodRuntime(both, dead), facts())) == [("a", 1)]


def test_init_containers_come_one_after_the_other() -> None:
    spec = pod("a", init=({"name": "i1"}, {"name": "i2"}))
    boxes = [sandbox()]
    assert names(sync.plan(spec, PodRuntime(boxes), facts())) == [("i1", 0)]
    assert names(sync.plan(spec, PodRuntime(boxes, [container("i1")]), facts())) == []
    done = [container("i1", "EXITED")]
    assert names(sync.plan(spec, PodRuntime(boxes, done), facts())) == [("i2", 0)]
    failed = [*done, container("i2", "EXITED", code=1)]
    assert names(sync.plan(spec, PodRuntime(boxes, failed), facts())) == [("i2", 1)]
    done.append(container("i2", "EXITED"))
    assert names(sync.plan(spec, PodRuntime(boxes, done), facts())) == [("a", 0)]


def test_sidecars_start_first_and_end_last() -> None:
    spec = pod("a", policy="Never", init=({"name": "side", "restartPolicy": "Always"},))
    boxes = [sandbox()]
    assert names(sync.plan(spec, PodRuntime(boxes), facts())) == [("side", 0)]
    running = [container("side")]
    assert names(sync.plan(spec, PodRuntime(boxes, running), facts(started=False))) == []
    assert names(sync.plan(spec, PodRuntime(boxes, running), facts())) == [("a", 0)]
    found = sync.plan(spec, PodRuntime(boxes, [*running, container("a", "EXITED")]), facts())
    assert [k.container.name for k in found.kill] == ["side"]
    assert found.stop == []


def test_the_unhealthy_and_the_changed_are_killed() -> None:
    runtime = PodRuntime([sandbox()], [container("a")])
    assert sync.plan(pod("a"), runtime, facts(unhealthy={"a-0": "why"})).kill == [
        sync.Kill(runtime.containers[0], "why")
    ]
    changed = pod("a")
    changed["spec"]["containers"][0]["image"] = "j"
    assert sync.plan(changed, runtime, facts()).kill[0].why == "Container a definition changed, will be restarted"


def test_only_two_lives_are_kept() -> None:
    lives = [container("a", "EXITED", attempt=n, code=1) for n in range(3)] + [container("a", attempt=3)]
    assert [c.attempt for c in sync.plan(pod("a"), PodRuntime([sandbox()], lives), facts()).remove] == [1, 0]


def test_the_api_remembers_restarts_that_the_runtime_forgot() -> None:
    known = pod("a", containerStatuses=[{"name": "a", "restartCount": 4, "containerID": "x://1"}])
    assert names(sync.plan(known, PodRuntime([sandbox()]), facts())) == [("a", 5)]


def test_backoff_doubles_and_is_forgotten() -> None:
    backoff = Backoff()
    assert backoff.until("k", 100.0) == 100.0
    at = 100.0
    delays = []
    for _ in range(7):
        backoff.next("k", at, at)
        delays.append(backoff.until("k", at) - at)
        at += delays[-1]
    assert delays == [10, 20, 40, 80, 160, 300, 300]
    assert backoff.until("k", at + 700) == at + 700


def test_what_comes_after_a_post_start_hook_waits_for_its_end() -> None:
    both = pod("a", "b")
    both["spec"]["containers"][0]["lifecycle"] = {"postStart": {"exec": {"command": ["true"]}}}
    box = sandbox()
    assert names(sync.plan(both, PodRuntime([box], []), facts())) == [("a", 0)]
    runtime = PodRuntime([box], [container("a")])
    hooked = sync.Facts(NOW, {}, lambda _: True, lambda _name, _last: 0.0, lambda found: found == "a-0")
    assert names(sync.plan(both, runtime, hooked)) == []
    assert names(sync.plan(both, runtime, facts())) == [("b", 0)]


def test_an_ephemeral_container_starts_once_whatever_the_others_do() -> None:
    debugged = pod("a", init=({"name": "i"},))
    debugged["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "i"}]
    box = sandbox()
    assert names(sync.plan(debugged, PodRuntime([box], [container("i")]), facts())) == [("debug", 0)]
    over = PodRuntime([box], [container("i"), container("debug", "EXITED", code=1)])
    assert names(sync.plan(debugged, over, facts())) == []


def test_a_container_may_have_a_restart_policy_and_rules_of_its_own() -> None:
    mixed = pod("a", "b", "c", policy="Never")
    a, b, _ = mixed["spec"]["containers"]
    a["restartPolicy"] = "Always"
    b["restartPolicyRules"] = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    over = [container("a", "EXITED"), container("b", "EXITED", code=42), container("c", "EXITED", code=42)]
    assert names(sync.plan(mixed, PodRuntime([sandbox()], over), facts())) == [("a", 1), ("b", 1)]
    a["restartPolicy"] = "Never"
    b["restartPolicyRules"][0]["exitCodes"]["operator"] = "NotIn"
    assert sync.is_done(mixed, PodRuntime([sandbox()], over))
