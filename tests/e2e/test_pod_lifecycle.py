"""A pod's life as real kubectl sees it, on both engines: what its containers say, what they may, what they get."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from support.clusters import Cluster, eventually

BOX = "kubelearn/busybox:1"


def create(cluster: Cluster, namespace: str, name: str, *containers: dict[str, Any], **spec: Any) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "box", "image": BOX, **c} for c in containers],
            **spec,
        },
    }
    done = cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
    assert done.code == 0, done.err


def sh(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **more}


def ended(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    """The pod's status once it is over."""

    def look() -> dict[str, Any] | None:
        status: dict[str, Any] = cluster.get("pod", name, "-n", namespace)["status"]
        return status if status["phase"] in ("Succeeded", "Failed") else None

    found: dict[str, Any] = eventually(look)
    return found


def outcome(status: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = status["containerStatuses"][0]["state"]["terminated"]
    return found


def waits(cluster: Cluster, namespace: str, name: str, reason: str) -> str:
    """The message of a container that waits for that reason."""

    def look() -> str | None:
        status = cluster.get("pod", name, "-n", namespace)["status"]
        for container in status.get("containerStatuses", ()):
            if container["state"].get("waiting", {}).get("reason") == reason:
                return container["state"]["waiting"].get("message", "") or " "
        return None

    found: str = eventually(look)
    return found


def test_a_container_says_why_it_ended(cluster: Cluster, namespace: str) -> None:
    create(cluster, namespace, "told", sh("echo log; echo -n done > /dev/termination-log; exit 3"))
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    create(cluster, namespace, "silent", sh("echo log; exit 3", **policy))
    told, silent = (outcome(ended(cluster, namespace, name)) for name in ("told", "silent"))
    assert (told["exitCode"], told["reason"], told["message"]) == (3, "Error", "done")
    assert silent["message"] == "log\n"


def test_security_contexts_are_kept_or_refused(cluster: Cluster, namespace: str) -> None:
    locked = {
        "runAsUser": 1234,
        "runAsGroup": 2345,
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    script = (
        "id -u; id -g; id -G; touch /no 2>&1; touch /data/yes && ls -ln /data; grep -E 'CapEff|NoNew' /proc/self/status"
    )
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    more = {"volumes": [{"name": "data", "emptyDir": {}}], "securityContext": {"fsGroup": 3456}}
    create(cluster, namespace, "locked", sh(script, securityContext=locked, **mounted), **more)
    create(cluster, namespace, "strong", sh("true", securityContext={"privileged": True}))
    create(cluster, namespace, "rooted", sh("true", securityContext={"runAsNonRoot": True}))
    assert waits(cluster, namespace, "strong", "CreateContainerConfigError").startswith("privileged containers")
    if cluster.engine == "process":
        refused = waits(cluster, namespace, "locked", "CreateContainerError")
        assert refused.startswith("the process engine cannot run a container as user 1234")
        return
    assert "image will run as root" in waits(cluster, namespace, "rooted", "CreateContainerConfigError")
    assert ended(cluster, namespace, "locked")["phase"] == "Succeeded"
    said = cluster.kubectl("logs", "locked", "-n", namespace).out.splitlines()
    assert said[:3] == ["1234", "2345", "2345 3456"]
    assert "Read-only file system" in said[3]
    assert said[5].split()[2:4] == ["1234", "3456"], "what is made in the volume is its fsGroup's"
    assert said[6:] == ["CapEff:\t0000000000000000", "NoNewPrivs:\t1"]


def test_volumes_of_the_node_and_of_claims(cluster: Cluster, namespace: str) -> None:
    """What is written into a hostPath is there for the next pod of the same node, and nowhere on this machine."""
    place = f"/data/{namespace}"
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": namespace},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": place},
            "storageClassName": "",
            "claimRef": {"namespace": namespace, "name": "c"},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": namespace},
        "spec": {
            "storageClassName": "",
            "volumeName": namespace,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    mounted = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    typed = {"path": place, "type": "Directory"}
    create(
        cluster, namespace, "early", sh("true", **mounted), nodeName=node, volumes=[{"name": "v", "hostPath": typed}]
    )
    eventually(lambda: f"{place} is not a directory" in cluster.kubectl("get", "events", "-n", namespace).out)
    first = {"name": "v", "hostPath": {"path": place, "type": "DirectoryOrCreate"}}
    create(cluster, namespace, "writer", sh("echo kept > /v/file", **mounted), nodeName=node, volumes=[first])
    assert ended(cluster, namespace, "writer")["phase"] == "Succeeded"
    assert ended(cluster, namespace, "early")["phase"] == "Succeeded", "its directory has come"
    for obj in (volume, claim):
        done = cluster.kubectl("create", "-f", "-", stdin=json.dumps(obj))
        assert done.code == 0, done.err
    bound = json.dumps({"status": {"phase": "Bound"}})
    cluster.kubectl("patch", "pvc", "c", "-n", namespace, "--subresource=status", "--type=merge", "-p", bound)
    source = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    create(cluster, namespace, "reader", sh("cat /v/file", **mounted), nodeName=node, volumes=[source])
    assert ended(cluster, namespace, "reader")["phase"] == "Succeeded"
    assert cluster.kubectl("logs", "reader", "-n", namespace).out == "kept\n"
    assert not Path(place).exists()
    assert cluster.kubectl("delete", "pv", namespace, "--wait=false").code == 0


def test_a_volume_in_memory(cluster: Cluster, namespace: str) -> None:
    mounted = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    script = "grep -c '/v tmpfs' /proc/mounts; dd if=/dev/zero of=/v/x bs=64k count=32 2>&1 | grep -c 'No space'; ls /v"
    volume = {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    create(cluster, namespace, "quick", sh(script, **mounted), volumes=[volume])
    if cluster.engine == "process":
        look = ("get", "events", "-n", namespace, "--field-selector=reason=FailedCreatePodSandBox")
        eventually(lambda: "the process engine has no volumes in memory" in cluster.kubectl(*look).out)
        return
    assert ended(cluster, namespace, "quick")["phase"] == "Succeeded"
    assert cluster.kubectl("logs", "quick", "-n", namespace).out.split() == ["1", "1", "x"]


def messages(cluster: Cluster, namespace: str, name: str, reason: str) -> list[str]:
    """Of the pod's events of that reason, once there is one."""
    look = f"--field-selector=involvedObject.name={name},reason={reason}"
    found: list[Any] = eventually(lambda: cluster.get("events", "-n", namespace, look)["items"])
    return [e["message"] for e in found]


def test_init_containers_come_first_and_sidecars_go_last(cluster: Cluster, namespace: str) -> None:
    shared = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    sidecar = sh("trap 'exit 0' TERM; touch /v/side; while :; do sleep 0.1; done", restartPolicy="Always", **shared)
    probe = {"startupProbe": {"exec": {"command": ["sh", "-c", "test -e /v/side"]}, "periodSeconds": 1}}
    init = [
        {"name": "first", "image": BOX, **sh("test ! -e /v/side && sleep 0.5 && touch /v/first", **shared)},
        {"name": "side", "image": BOX, **sidecar, **probe},
        {"name": "last", "image": BOX, **sh("test -e /v/first && test -e /v/side", **shared)},
    ]
    main = sh("test -e /v/first && test -e /v/side", **shared)
    create(cluster, namespace, "p", main, initContainers=init, volumes=[{"name": "v", "emptyDir": {}}])
    status = ended(cluster, namespace, "p")
    assert status["phase"] == "Succeeded", status
    first, side, last = (s["state"]["terminated"] for s in status["initContainerStatuses"])
    assert (first["reason"], side["exitCode"], last["reason"]) == ("Completed", 0, "Completed")
    assert side["finishedAt"] >= outcome(status)["finishedAt"]
    assert status["qosClass"] == "BestEffort"
    assert {c["observedGeneration"] for c in status["conditions"]} == {1}


def test_ends_have_reasons(cluster: Cluster, namespace: str) -> None:
    limited = {"resources": {"limits": {"memory": "32Mi"}}}
    create(cluster, namespace, "hungry", sh("x=$(head -c 60000000 /dev/zero | tr '\\0' x); sleep 30", **limited))
    create(cluster, namespace, "slow", sh("sleep 60"), activeDeadlineSeconds=1)
    create(cluster, namespace, "missing", {"command": ["/no/such/program"]})
    hungry = ended(cluster, namespace, "hungry")
    assert (outcome(hungry)["reason"], outcome(hungry)["exitCode"], hungry["qosClass"]) == (
        "OOMKilled",
        137,
        "Burstable",
    )
    missing = outcome(ended(cluster, namespace, "missing"))
    assert (missing["reason"], missing["exitCode"]) == ("StartError", 128)
    assert "no such file or directory" in missing["message"]
    slow = ended(cluster, namespace, "slow")
    assert slow["reason"] == "DeadlineExceeded"
    assert slow["message"] == "Pod was active on the node longer than the specified deadline"
    assert messages(cluster, namespace, "slow", "DeadlineExceeded") == [slow["message"]]


def test_failing_containers_and_images_are_tried_again_less_and_less(cluster: Cluster, namespace: str) -> None:
    create(cluster, namespace, "crash", sh("echo life; exit 1"), restartPolicy="Always")
    create(cluster, namespace, "gone", {"image": "kubelearn/nothing:1"})
    create(cluster, namespace, "never", {"image": "kubelearn/nothing:1", "imagePullPolicy": "Never"})
    create(cluster, namespace, "wrong", {"image": "Kubelearn/Web"})
    why = waits(cluster, namespace, "crash", "CrashLoopBackOff")
    assert why.startswith("back-off 10s restarting failed container=box pod=crash_")
    assert messages(cluster, namespace, "crash", "BackOff")[0].startswith(
        "Back-off restarting failed container box in pod crash_"
    )
    assert cluster.kubectl("logs", "crash", "--previous", "-n", namespace).out == "life\n"
    assert "kubelearn/nothing:1: not found" in waits(cluster, namespace, "gone", "ErrImagePull")
    assert waits(cluster, namespace, "gone", "ImagePullBackOff").startswith(
        'Back-off pulling image "kubelearn/nothing:1"'
    )
    assert waits(cluster, namespace, "never", "ErrImageNeverPull").endswith("is not present with pull policy of Never")
    assert "must be lowercase" in waits(cluster, namespace, "wrong", "InvalidImageName")


def test_hooks_probes_and_grace(cluster: Cluster, namespace: str) -> None:
    patient = sh("trap '' TERM; touch /tmp/up 2>/dev/null; while :; do sleep 0.1; done")
    bad = {"preStop": {"exec": {"command": ["sh", "-c", "exit 7"]}}}
    create(cluster, namespace, "stubborn", {**patient, "lifecycle": bad})
    dying = {"livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}}
    create(cluster, namespace, "dying", {**patient, **dying}, restartPolicy="Always")
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "exit 3"]}}}
    create(cluster, namespace, "hooked", {**patient, "lifecycle": hook})
    assert messages(cluster, namespace, "hooked", "FailedPostStartHook") == ["PostStartHook failed"]
    assert messages(cluster, namespace, "dying", "Unhealthy")[0].startswith("Liveness probe failed:")
    assert "Container box failed liveness probe, will be restarted" in messages(cluster, namespace, "dying", "Killing")
    eventually(
        lambda: cluster.get("pod", "dying", "-n", namespace)["status"]["containerStatuses"][0]["restartCount"] > 0
    )
    assert cluster.kubectl("wait", "pod/stubborn", "--for=condition=Ready", "-n", namespace, "--timeout=60s").code == 0
    began = time.monotonic()
    assert cluster.kubectl("delete", "pod", "stubborn", "-n", namespace, "--grace-period=2").code == 0
    assert 1.5 < time.monotonic() - began < 15
    assert messages(cluster, namespace, "stubborn", "FailedPreStopHook") == ["PreStopHook failed"]


def test_a_container_knows_its_surroundings(cluster: Cluster, namespace: str) -> None:
    service = ("create", "service", "clusterip", "my-db", "--tcp=5432", "-n", namespace)
    assert cluster.kubectl(*service).code == 0
    made = ("create", "configmap", "conf", "--from-literal=A=1", "--from-literal=B=2", "-n", namespace)
    assert cluster.kubectl(*made).code == 0
    host = cluster.get("service", "my-db", "-n", namespace)["spec"]["clusterIP"]
    eventually(lambda: cluster.get("configmap", "conf", "-n", namespace)["data"])
    env = [
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "B", "value": "$(C_A)/$(NAME)/$$(NAME)/$(NOT)"},
        {"name": "DB", "value": "$(MY_DB_SERVICE_HOST):$(MY_DB_SERVICE_PORT)"},
    ]
    items = [{"path": "cpu", "resourceFieldRef": {"containerName": "box", "resource": "requests.cpu", "divisor": "1m"}}]
    more = {
        "env": env,
        "envFrom": [{"configMapRef": {"name": "conf"}, "prefix": "C_"}],
        "resources": {"limits": {"memory": "64Mi", "cpu": "250m"}},
        "volumeMounts": [{"name": "down", "mountPath": "/down"}],
    }
    volume = {"name": "down", "downwardAPI": {"items": items}}
    script = 'echo "$NAME $MEMORY $B $DB $C_B"; cat /down/cpu'
    create(cluster, namespace, "knows", sh(script, **more), volumes=[volume])
    assert ended(cluster, namespace, "knows")["qosClass"] == "Guaranteed"
    out = cluster.kubectl("logs", "knows", "-n", namespace).out
    assert out == f"knows 64 1/knows/$(NAME)/$(NOT) {host}:5432 2\n250"
    if cluster.engine == "docker":
        v1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
        limits = sh(f"cat {v1} /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2>/dev/null; true", **more)
        create(cluster, namespace, "limited", limits, volumes=[volume])
        assert ended(cluster, namespace, "limited")["phase"] == "Succeeded"
        said = cluster.kubectl("logs", "limited", "-n", namespace).out.split()
        assert said[:2] == [str(64 << 20), "25000"], said
    stamped = cluster.kubectl("logs", "knows", "-n", namespace, "--tail=1", "--timestamps").out
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z 250", stamped)
    assert cluster.kubectl("logs", "knows", "-n", namespace, "--since-time=2099-01-01T00:00:00Z").out == ""


def test_a_volume_that_outgrows_its_limit_evicts_its_pod(cluster: Cluster, namespace: str) -> None:
    mounted = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    script = "head -c 3000000 /dev/zero > /v/big; sleep 600"
    create(cluster, namespace, "big", sh(script, **mounted), volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}])
    status = ended(cluster, namespace, "big")
    text = 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", text)
    assert "DisruptionTarget" in [c["type"] for c in status["conditions"] if c["status"] == "True"]
    assert messages(cluster, namespace, "big", "Evicted") == [text]
