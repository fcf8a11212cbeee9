"""Measure kubelearn and print a table: `python tests/bench/skeleton.py [--engine process] [--runs 3]`.

Nothing here asserts a time. Each line says what was measured, its median (and p99 where there are many samples), and
the aim or the peer measured in the same run.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import json
import os
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = tuple[str, str, str]


class Cluster:
    """A cluster made by the command line in a home of its own."""

    def __init__(self, engine: str, home: Path) -> None:
        self.engine, self.home = engine, home
        self.env = {**os.environ, "KUBELEARN_HOME": str(home), "KUBECONFIG": str(home / "clusters/bench/kubeconfig")}

    def run(self, *args: str, check: bool = True) -> str:
        argv = [sys.executable, "-m", "kubelearn", *args]
        return subprocess.run(argv, env=self.env, check=check, capture_output=True, text=True).stdout

    def up(self) -> float:
        return timed(lambda: self.run("up", "--name", "bench", "--engine", self.engine))

    def down(self) -> None:
        self.run("down", "--name", "bench")

    def connection(self) -> tuple[http.client.HTTPSConnection, dict[str, str]]:
        """One kept-alive TLS connection with the administrator's token."""
        folder = self.home / "clusters" / "bench"
        context = ssl.create_default_context(cafile=str(folder / "pki" / "ca.crt"))
        headers = {"Authorization": "Bearer " + (folder / "pki" / "token").read_text().strip()}
        return http.client.HTTPSConnection("127.0.0.1", self.port(), context=context), headers

    def _status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--name", "bench", "--output", "json")))

    def port(self) -> int:
        return int(self._status()["server"].rsplit(":", 1)[1])

    def kill(self) -> None:
        """kill -9 of the control plane; returns when it is gone."""
        pid = self.pids()["control plane"][0]
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.01)

    def pids(self) -> dict[str, list[int]]:
        control = int(self._status()["pid"])
        nodes = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != control:
                command = (entry / "cmdline").read_bytes().split(b"\0") if (entry / "cmdline").exists() else []
                if b"kubelearn.node" in command:
                    nodes.append(int(entry.name))
        return {"control plane": [control], "node agent": nodes}


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def many(work: Callable[[int], Any], count: int) -> list[float]:
    return [timed(functools.partial(work, i)) for i in range(count)]


def median(samples: list[float], unit: float = 1e3, name: str = "ms") -> str:
    return f"{statistics.median(samples) * unit:.1f} {name}"


def tail(samples: list[float]) -> str:
    return f"{median(samples)}, p99 {sorted(samples)[int(len(samples) * 0.99) - 1] * 1e3:.1f} ms"


def start_up(cluster: Cluster, runs: int) -> Row:
    samples = []
    for _ in range(runs):
        cluster.down()
        samples.append(cluster.up())
    aim = "1.5 s" if cluster.engine == "process" else "4 s"
    return f"up to all nodes Ready ({cluster.engine})", median(samples, 1, "s"), f"aim {aim}"


def request(cluster: Cluster) -> list[Row]:
    connection, headers = cluster.connection()
    pods = "/api/v1/namespaces/bench/pods"

    def call(method: str, path: str, body: Any = None) -> bytes:
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300 and answer.status not in (404, 409):
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content

    call("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    for i in range(100):
        spec = {"containers": [{"name": "c", "image": "kubelearn/web:v1"}], "nodeSelector": {"nobody": "has-this"}}
        call("POST", pods, {"metadata": {"name": f"p{i:03d}"}, "spec": spec})
    time.sleep(1)
    configmaps = "/api/v1/namespaces/bench/configmaps"
    rows = [
        ("GET one pod", tail(many(lambda _: call("GET", f"{pods}/p050"), 500)), ""),
        ("LIST 100 pods", tail(many(lambda _: call("GET", pods), 200)), ""),
        (
            "CREATE a ConfigMap",
            tail(many(lambda i: call("POST", configmaps, {"metadata": {"name": f"c{i}"}}), 300)),
            "",
        ),
    ]
    call("DELETE", "/api/v1/namespaces/bench")
    return rows


def pod_start(cluster: Cluster, runs: int) -> list[Row]:
    samples = []
    for i in range(runs):
        began = time.perf_counter()
        cluster.run("kubectl", "run", f"b{i}", "--image=kubelearn/web:v1", "--restart=Never")
        watch = ["kubectl", "wait", f"pod/b{i}", "--for=jsonpath={.status.phase}=Running", "--timeout=60s"]
        cluster.run(*watch)
        samples.append(time.perf_counter() - began)
        cluster.run("kubectl", "delete", "pod", f"b{i}", "--now")
    rows = [("apply of one pod to Running, both commands' start-up included", median(samples), "")]
    spans = created_to_running(cluster)
    if spans:
        aim = "aim 300 ms" if cluster.engine == "process" else ""
        rows.append(("… from the API server's answer to Running (recorded spans)", median(spans), aim))
    if cluster.engine == "docker":
        argv = ["docker", "run", "-d", "--rm", "--label", "kubelearn.bench=1", "kubelearn/web:v1"]
        bare = []
        for _ in range(runs):
            began = time.perf_counter()
            container = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
            bare.append(time.perf_counter() - began)
            subprocess.run(["docker", "rm", "-f", container], check=True, capture_output=True)
        ratio = statistics.median(spans or samples) / statistics.median(bare)
        rows.append(("… a bare docker run of the same image", median(bare), f"ratio {ratio:.2f}, aim 1.5"))
    return rows


def created_to_running(cluster: Cluster) -> list[float]:
    """From the recorded causes: the pod's creation to the status write that says Running."""
    answer = cluster.run("kubectl", "get", "--raw", "/apis/kubelearn.dev/v1alpha1/spans", check=False)
    born: dict[str, float] = {}
    took = []
    for span in json.loads(answer)["items"] if answer else []:
        spec = span["spec"]
        about = spec["object"]
        if about["resource"] != "pods" or about["namespace"] != "default" or not about["name"].startswith("b"):
            continue
        at = statistics.mean([_seconds(spec["time"])])
        if spec["type"] == "ADDED":
            born[about["name"]] = at
        elif "Running" in spec["summary"] and about["name"] in born:
            took.append(at - born.pop(about["name"]))
    return took


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def commands(cluster: Cluster, runs: int) -> list[Row]:
    whole = many(lambda _: cluster.run("kubectl", "get", "pods"), runs)
    official = Path(sys.executable).with_name("kubectl")
    peer = ""
    if official.exists():
        call = [str(official), "get", "pods"]
        theirs = many(lambda _: subprocess.run(call, env=cluster.env, check=True, capture_output=True), runs)
        peer = f"real kubectl {median(theirs)}; aim 250 ms"
    help_time = many(lambda _: cluster.run("--help"), runs)
    return [
        ("kubelearn kubectl get pods, whole process", median(whole), peer),
        ("kubelearn --help, whole process", median(help_time), "aim 150 ms"),
    ]


def resources(cluster: Cluster) -> list[Row]:
    """Resident memory and processor time of a cluster that rests."""
    time.sleep(5)
    ticks = os.sysconf("SC_CLK_TCK")
    pids = cluster.pids()

    def cpu() -> float:
        total = 0.0
        for pid in (p for group in pids.values() for p in group):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
        return total

    began, before = time.monotonic(), cpu()
    time.sleep(20)
    share = (cpu() - before) / (time.monotonic() - began) * 100
    rows = []
    for name, group in pids.items():
        sizes = [resident(pid) for pid in group]
        aim = "aim 100 MB" if name == "control plane" else "aim 50 MB"
        rows.append((f"memory of the {name} at rest", f"{max(sizes, default=0):.0f} MB", aim))
    rows.append(("processor time of the whole cluster at rest", f"{share:.1f} % of one core", "aim 2 %"))
    return rows


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("process", "docker"), default="process")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        cluster = Cluster(options.engine, Path(home))
        try:
            rows = [
                start_up(cluster, options.runs),
                *resources(cluster),
                *pod_start(cluster, options.runs),
                *commands(cluster, options.runs),
                *request(cluster),
            ]
        finally:
            cluster.down()
    width = max(len(r[0]) for r in rows)
    for what, figure, note in rows:
        print(f"{what:<{width}}  {figure:<28}  {note}")


if __name__ == "__main__":
    main()
