"""Measure the API server and print a table: `cd tests && python -m bench.api [--pods 10000] [--store sqlite] [--quick]`.

Nothing here asserts a time. One cluster of one process-engine node; the pods ask for a node that nobody has, so nothing
runs them. The client shares the machine's processors with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop
from bench.load import Connection, Samples, Target, figures, run
from bench.skeleton import Cluster, Row, resident, timed

NS = "/api/v1/namespaces/bench"
CLIENTS = (1, 16, 64)


def pod(name: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "kubelearn/web:v1"}], "nodeSelector": {"nobody": "has-this"}}
    return {"metadata": {"name": name, "labels": {"app": "bench"}}, "spec": spec}


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def create_pods(target: Target, start: int, end: int, namespace: str = NS) -> Samples:
    async def one(connection: Connection, client: int, count: int) -> tuple[int, bytes]:
        return await connection.send("POST", f"{namespace}/pods", pod(f"p{start + client + count * 16:05d}"))

    return await run(target, 16, (end - start) // 16, one)


async def prepare(target: Target) -> None:
    connection = await Connection(target).open()
    await connection.send("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    while (await connection.send("GET", f"{NS}/serviceaccounts/default"))[0] != 200:
        await asyncio.sleep(0.05)
    connection.close()


# ---- requests


async def requests(target: Target, each: int) -> list[Row]:
    rows = []
    for clients in CLIENTS:
        per = max(each // clients, 10)
        for what, path in (("GET one pod", f"{NS}/pods/p00050"), ("LIST 100 pods", f"{NS}/pods?limit=100")):
            rows.append((f"{what}, {clients} clients", await reads(target, clients, per, path)))
        rows += [(f"{what}, {clients} clients", found) for what, found in (await writes(target, clients, per)).items()]
    return [(what, str(found), "") for what, found in rows]


async def reads(target: Target, clients: int, each: int, path: str) -> Samples:
    async def read(connection: Connection, _client: int, _count: int) -> tuple[int, bytes]:
        return await connection.send("GET", path)

    return await run(target, clients, each, read)


async def writes(target: Target, clients: int, each: int) -> dict[str, Samples]:
    """Each client writes an object of its own."""

    async def create(connection: Connection, client: int, count: int) -> tuple[int, bytes]:
        return await connection.send("POST", f"{NS}/configmaps", configmap(f"c{clients}-{client}-{count}", a="b"))

    async def update(connection: Connection, client: int, count: int) -> tuple[int, bytes]:
        name = f"c{clients}-{client}-0"
        return await connection.send("PUT", f"{NS}/configmaps/{name}", configmap(name, n=str(count)))

    async def strategic(connection: Connection, client: int, count: int) -> tuple[int, bytes]:
        body = {"metadata": {"labels": {"n": str(count)}}}
        content = "application/strategic-merge-patch+json"
        return await connection.send("PATCH", f"{NS}/pods/p{client:05d}", body, content)

    async def apply(connection: Connection, client: int, count: int) -> tuple[int, bytes]:
        path = f"{NS}/configmaps/a{client}?fieldManager=bench"
        return await connection.send(
            "PATCH", path, configmap(f"a{client}", n=str(count)), "application/apply-patch+yaml"
        )

    return {
        "CREATE a ConfigMap": await run(target, clients, each, create),
        "UPDATE a ConfigMap": await run(target, clients, each, update),
        "PATCH a pod (strategic)": await run(target, clients, each, strategic),
        "PATCH a ConfigMap (apply)": await run(target, clients, each, apply),
    }


# ---- watches


async def fan_out(target: Target, watchers: int, events: int) -> Row:
    """From the request that creates an object to its event at each watcher."""
    sent: dict[str, float] = {}
    took: list[float] = []
    last: dict[str, float] = {}
    connections = [await Connection(target).open() for _ in range(watchers)]
    writer = await Connection(target).open()
    _, answer = await writer.send("GET", f"{NS}/configmaps?limit=1")
    start = orjson.loads(answer)["metadata"]["resourceVersion"]

    async def look(connection: Connection) -> None:
        seen = 0
        async for line in connection.watch(f"{NS}/configmaps?watch=1&resourceVersion={start}"):
            now = time.perf_counter()
            name = line.partition(b'"name":"')[2].partition(b'"')[0].decode()
            if name in sent:
                took.append(now - sent[name])
                last[name] = now - sent[name]
                seen += 1
                if seen == events:
                    return

    looking = asyncio.gather(*(look(connection) for connection in connections))
    await asyncio.sleep(0.2 + watchers / 500)
    for number in range(events):
        name = f"w{watchers}-{number}"
        sent[name] = time.perf_counter()
        await writer.send("POST", f"{NS}/configmaps", configmap(name))
        await asyncio.sleep(0.02 + watchers / 4000)
    await asyncio.wait_for(looking, 60)
    for connection in (*connections, writer):
        connection.close()
    note = f"last watcher {statistics.median(last.values()) * 1e3:.1f} ms"
    return f"create to seen, {watchers} watchers", figures(took), note


# ---- one greedy user


async def fairness(folder: Path, port: int, seconds: float) -> list[Row]:
    """What a second user notices of one that lists without end over 64 connections."""
    admin = await Connection(Target.of(folder, port)).open()
    users = {name: Target.of(folder, port, await reader(admin, name)) for name in ("greedy", "modest")}
    alone = await reads(users["modest"], 1, 100, f"{NS}/pods/p00050")
    rows = [("GET by another user, nobody else there", str(alone), "")]
    floods = {"listing 1000 pods": "GET", "creating ConfigMaps": "POST"}
    for what, method in floods.items():
        end = time.perf_counter() + seconds
        flooding = asyncio.gather(*(flood(users["greedy"], method, end, n) for n in range(64)))
        await asyncio.sleep(0.5)
        samples = Samples()
        connection = await Connection(users["modest"]).open()
        began = time.perf_counter()
        while time.perf_counter() < end:
            sent = time.perf_counter()
            status, _ = await connection.send("GET", f"{NS}/pods/p00050")
            samples.add(status, time.perf_counter() - sent)
            await asyncio.sleep(0.01)
        samples.elapsed = time.perf_counter() - began
        connection.close()
        refused = sum(await flooding)
        rows.append((f"… while a user is {what} over 64 connections", str(samples), f"{refused} refused with 429"))
    admin.close()
    return rows


async def reader(admin: Connection, name: str) -> str:
    """The token of a new ServiceAccount that may edit."""
    await admin.send("POST", f"{NS}/serviceaccounts", {"metadata": {"name": name}})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "bench"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/bench/rolebindings"
    await admin.send("POST", path, {"metadata": {"name": name}, "subjects": [subject], "roleRef": role})
    _, answer = await admin.send("POST", f"{NS}/serviceaccounts/{name}/token", {"spec": {"expirationSeconds": 3600}})
    token: str = orjson.loads(answer)["status"]["token"]
    return token


async def flood(target: Target, method: str, end: float, number: int) -> int:
    """How often it was refused."""
    connection = await Connection(target).open()
    refused = count = 0
    while time.perf_counter() < end:
        if method == "GET":
            status, _ = await connection.send("GET", f"{NS}/pods?limit=1000")
        else:
            count += 1
            status, _ = await connection.send("POST", f"{NS}/configmaps", configmap(f"f{number}-{count}"))
        if status == 429:
            refused += 1
            await asyncio.sleep(0.1)
    connection.close()
    return refused


# ---- many pods


async def many(target: Target, have: int, count: int) -> list[Row]:
    count = have + (count - have) // 16 * 16  # as many from each client
    made = await create_pods(target, have, count)
    rows = [(f"CREATE pods up to {count}, 16 clients", str(made), "")]
    connection = await Connection(target).open()
    for what, path in (
        ("LIST 1000 pods", f"{NS}/pods?limit=1000"),
        (f"LIST {count} pods", f"{NS}/pods"),
        (f"LIST {count} pods by label", f"{NS}/pods?labelSelector=app%3Dbench"),
    ):
        rows.append((what, str(await reads(target, 1, 5, path)), ""))
    began, seen = time.perf_counter(), 0
    async for _ in connection.watch(f"{NS}/pods?watch=1"):
        seen += 1
        if seen >= count:
            break
    rows.append((f"watch from nothing, {count} pods", f"{time.perf_counter() - began:.2f} s", ""))
    connection.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=10_000, help="how many to store for the last lines")
    parser.add_argument("--store", choices=("sqlite", "etcd", "memory"), default="sqlite")
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests")
    options = parser.parse_args()
    each = 150 if options.quick else 1500
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        cluster = Cluster("process", Path(home))
        try:
            cluster.run("up", "--name", "bench", "--engine", "process", "--nodes", "1", "--store", options.store)
            folder, port = Path(home) / "clusters" / "bench", cluster.port()
            target = Target.of(folder, port)
            (pid,) = cluster.pids()["control plane"]
            rows.append(("memory of the control plane, empty", f"{resident(pid):.0f} MB", "aim 97 MB"))

            async def measure() -> None:
                await prepare(target)
                await create_pods(target, 0, 1008)
                rows.extend(await requests(target, each))
                for watchers in (1, 50, 500):
                    rows.append(await fan_out(target, watchers, 20 if options.quick else 100))
                rows.extend(await fairness(folder, port, 3 if options.quick else 10))
                rows.extend(await many(target, 1008, options.pods))

            uvloop.run(measure())
            time.sleep(5)
            rows.append((f"memory of the control plane, {options.pods} pods", f"{resident(pid):.0f} MB", ""))
            if options.store != "memory":
                cluster.kill()
                rows.append((f"up again, {options.pods} pods stored", f"{timed(cluster.up):.2f} s", ""))
        finally:
            cluster.down()
    width = max(len(r[0]) for r in rows)
    for what, figure, note in rows:
        print(f"{what:<{width}}  {figure:<44}  {note}")


if __name__ == "__main__":
    main()
