"""A pod's life as real kubectl sees it, on both engines: what its containers say, what they may, what they get."""

from __future__ import annotations

import json
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
