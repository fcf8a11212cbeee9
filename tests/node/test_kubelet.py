"""The kubelet at work: a real API server on one side, real processes on the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.client.events import EVENTS
from kubelearn.node.kubelet import images
from kubelearn.node.resources import CONFIGMAPS, LEASES, NODES, PODS

from .conftest import NODE, Node

WEB = {"name": "web", "image": "kubelearn/web:v1"}
SLEEP = {"name": "box", "image": "kubelearn/busybox:1", "command": ["sleep", "600"]}


def ready(pod: Obj) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def waits_for(reason: str) -> Any:
    def look(pod: Obj) -> bool:
        return any(
            s["state"].get("waiting", {}).get("reason") == reason for s in pod["status"].get("containerStatuses", ())
        )

    return look


def restarted(times: int) -> Any:
    return lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= times


async def reasons(node: Node, name: str, *wanted: str) -> list[str]:
    """Messages of the pod's events, once the wanted reasons are among them."""
    async with asyncio.timeout(5):
        while True:
            found = (await node.admin.list(EVENTS, "default", field_selector=f"involvedObject.name={name}"))["items"]
            if set(wanted) <= {e["reason"] for e in found}:
                return [e["message"] for e in found]
            await asyncio.sleep(0.02)


async def test_the_node_registers_and_shows_signs_of_life(node: Node) -> None:
    await node.start()
    found = await node.admin.get(NODES, NODE)
    assert {c["type"]: c["status"] for c in found["status"]["conditions"]}["Ready"] == "True"
    assert found["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.36")
    assert found["spec"]["podCIDR"] == node.config.pod_cidr
    first = (await node.admin.get(LEASES, NODE, "kube-node-lease"))["spec"]["renewTime"]
    await asyncio.sleep(0.5)
    assert (await node.admin.get(LEASES, NODE, "kube-node-lease"))["spec"]["renewTime"] > first


async def test_a_pod_lives_and_ends(node: Node) -> None:
    await node.start()
    await node.create("web", WEB)
    pod = await node.until("web", ready)
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"].startswith("10.99.1.")
    messages = await reasons(node, "web", "Pulled", "Created", "Started")
    assert {"Container created", "Container started"} <= set(messages)
    await node.admin.delete(PODS, "web", "default")
    await node.gone("web")
    assert "Stopping container web" in await reasons(node, "web", "Killing")
    async with asyncio.timeout(5):
        while await node.cri.list_pod_sandboxes():
            await asyncio.sleep(0.02)


async def test_a_pod_that_does_its_work_succeeds(node: Node) -> None:
    await node.start()
    await node.create("job", {**SLEEP, "command": ["sh", "-c", "exit 0"]}, restartPolicy="Never")
    pod = await node.until("job", lambda p: p["status"]["phase"] == "Succeeded")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    await node.create("bad", {**SLEEP, "command": ["sh", "-c", "exit 3"]}, restartPolicy="Never")
    pod = await node.until("bad", lambda p: p["status"]["phase"] == "Failed")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


async def test_a_crash_loop_backs_off(node: Node) -> None:
    await node.start()
    await node.create("crash", {**WEB, "image": "kubelearn/web:broken"})
    pod = await node.until("crash", waits_for("CrashLoopBackOff"))
    [status] = pod["status"]["containerStatuses"]
    assert status["restartCount"] == 1
    assert status["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=web pod=crash_")
    await reasons(node, "crash", "BackOff")


async def test_an_unknown_image(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_SHOW_FIRST_SECONDS", 0.3)
    await node.start()
    await node.create("noimage", {"name": "c", "image": "nginx:1.25"})
    pod = await node.until("noimage", waits_for("ErrImagePull"))
    assert pod["status"]["phase"] == "Pending"
    assert 'Pulling image "nginx:1.25"' in await reasons(node, "noimage", "Pulling", "Failed")
    await node.until("noimage", waits_for("ImagePullBackOff"))


async def test_a_missing_configmap_is_waited_for(node: Node) -> None:
    await node.start()
    await node.create("late", {**SLEEP, "envFrom": [{"configMapRef": {"name": "conf"}}]})
    await node.until("late", waits_for("CreateContainerConfigError"))
    conf = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"COLOUR": "teal"}}
    await node.admin.create(CONFIGMAPS, conf, "default")
    pod = await node.until("late", ready)
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    assert (await node.cri.exec_sync(container, ["sh", "-c", "echo $COLOUR"], 5)).stdout == b"teal\n"


async def test_liveness_restarts_and_readiness_withholds(node: Node) -> None:
    await node.start()
    check = {"periodSeconds": 1, "failureThreshold": 1}
    await node.create(
        "probed",
        {
            **WEB,
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, **check},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 1, **check},
        },
    )
    pod = await node.until("probed", ready)
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]

    async def call(path: str) -> None:
        await node.cri.exec_sync(container, ["wget", "-qO-", "--post-data=", f"localhost:8080{path}"], 5)

    await call("/readyz?ok=false")
    await node.until("probed", lambda p: not ready(p))
    await call("/readyz?ok=true")
    await node.until("probed", ready)
    await call("/healthz?ok=false")
    await node.until("probed", restarted(1))
    messages = await reasons(node, "probed", "Unhealthy", "Killing")
    assert "Container web failed liveness probe, will be restarted" in messages
    assert "Readiness probe failed: HTTP probe failed with statuscode: 503" in messages


async def test_init_containers_and_shared_volumes(node: Node) -> None:
    await node.start()
    mount = [{"name": "work", "mountPath": "/work"}]
    first = {**SLEEP, "name": "first", "command": ["sh", "-c", "echo one > /work/x"], "volumeMounts": mount}
    main = {**SLEEP, "command": ["sh", "-c", "cat /work/x; sleep 600"], "volumeMounts": mount}
    await node.create("two", main, initContainers=[first], volumes=[{"name": "work", "emptyDir": {}}])
    pod = await node.until("two", ready)
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    async for line in node.cri.logs(container, follow=True):
        assert line.text == b"one\n"
        break


async def test_a_new_kubelet_adopts_what_runs(node: Node) -> None:
    await node.start()
    await node.create("stays", SLEEP)
    await node.create("goes", SLEEP)
    before = await node.until("stays", ready)
    await node.until("goes", ready)
    await node.stop()
    await node.admin.delete(PODS, "goes", "default", options={"gracePeriodSeconds": 0})
    await node.start()
    async with asyncio.timeout(5):
        while {s.pod_name for s in await node.cri.list_pod_sandboxes()} != {"stays"}:
            await asyncio.sleep(0.02)
    after = await node.pod("stays")
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]


async def test_a_killed_container_comes_back(node: Node) -> None:
    await node.start()
    await node.create("again", SLEEP)
    pod = await node.until("again", ready)
    await node.cri.stop_container(pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2], 0)
    pod = await node.until("again", restarted(1))
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (137, "Error")


async def test_the_deadline_ends_a_pod(node: Node) -> None:
    await node.start()
    await node.create("brief", SLEEP, activeDeadlineSeconds=1)
    pod = await node.until("brief", lambda p: p["status"]["phase"] == "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"


async def test_forced_deletion_does_not_wait(node: Node) -> None:
    await node.start()
    deaf = {**SLEEP, "command": ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"]}
    await node.create("deaf", deaf, terminationGracePeriodSeconds=60)
    await node.until("deaf", ready)
    await node.admin.delete(PODS, "deaf", "default")
    await node.until("deaf", lambda p: p["metadata"].get("deletionTimestamp"))
    await node.admin.delete(PODS, "deaf", "default", options={"gracePeriodSeconds": 0})
    async with asyncio.timeout(5):
        while await node.cri.list_pod_sandboxes():
            await asyncio.sleep(0.02)


async def test_an_image_name_that_is_none(node: Node) -> None:
    await node.start()
    await node.create("named", {"name": "web", "image": "Web"})
    await node.until("named", waits_for("InvalidImageName"))
    said = await reasons(node, "named", "InspectFailed", "Failed")
    assert "Error: InvalidImageName" in said


async def test_a_failing_post_start_hook_ends_its_container_and_the_next_one_waits(node: Node) -> None:
    await node.start()
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "sleep 0.5; exit 3"]}}}
    await node.create("hooked", {**SLEEP, "lifecycle": hook}, {**SLEEP, "name": "second"})
    states: list[Any] = []

    def second_runs(pod: Obj) -> bool:
        states.append([s["state"] for s in pod["status"].get("containerStatuses", ())])
        return bool(states[-1]) and "running" in states[-1][1]

    await node.until("hooked", second_runs)
    assert not any("running" in first for first, _ in filter(None, states)), "it has not run before its hook ended"
    said = await reasons(node, "hooked", "FailedPostStartHook", "Killing")
    assert {"PostStartHook failed", "FailedPostStartHook"} <= set(said)


def ended(pod: Obj) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


async def test_termination_messages_come_from_the_file_or_from_the_log(node: Node) -> None:
    await node.start()
    script = "echo from the log; echo -n 'from the file' > $PLACE; exit 4"
    box = {"name": "box", "image": "kubelearn/busybox:1", "terminationMessagePath": "/tmp/why"}
    told = {**box, "command": ["sh", "-c", script.replace("$PLACE", "/tmp/why")]}
    await node.create("told", told, restartPolicy="Never")
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    await node.create(
        "silent", {**box, **fallback, "command": ["sh", "-c", "echo from the log; exit 4"]}, restartPolicy="Never"
    )
    seen = [await node.until(name, ended) for name in ("told", "silent")]
    messages = [p["status"]["containerStatuses"][0]["state"]["terminated"]["message"] for p in seen]
    assert messages == ["from the file", "from the log\n"]


async def test_a_pre_stop_hook_may_just_sleep(node: Node) -> None:
    """SIGTERM comes after it, out of what is left of the grace period."""
    await node.start()
    hook = {"preStop": {"sleep": {"seconds": 1}}}
    await node.create("sleepy", {**WEB, "lifecycle": hook}, terminationGracePeriodSeconds=10)
    await node.until("sleepy", ready)
    began = asyncio.get_running_loop().time()
    await node.admin.delete(PODS, "sleepy", "default")
    async with asyncio.timeout(8):
        while (await node.admin.list(PODS, "default"))["items"]:
            await asyncio.sleep(0.02)
    assert asyncio.get_running_loop().time() - began >= 1
