"""Measure the app and print a table: `python tests/bench/tui.py [--pods 100] [--events 200] [--keys 200]`.

The app runs without a terminal on a made-up cluster whose pods change all the time. Nothing here asserts a time.
"""

# ruff: noqa: E402  the path comes first: this file would hide the package `tui` of the tests

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # the tests' folder, whose package `tui` this file would hide

from textual import events
from tui.fake import FakeCluster, FakeShell, Obj
from tui.world import pod, world

from kubelearn.client.rest import Client
from kubelearn.lessons import progress
from kubelearn.tui.app import KubelearnApp
from kubelearn.tui.widgets.command import CommandLine
from kubelearn.tui.widgets.picture import Picture

Row = tuple[str, str, str]


def crowd(count: int) -> dict[str, list[Obj]]:
    """The tests' world with `count` pods on its two nodes, half of them behind its Service."""
    found = world()
    found["pods"] = [pod(f"web-7d4b9-{i:05d}", f"worker-{i % 2 + 1}", f"10.244.{i % 2 + 1}.{i}") for i in range(count)]
    behind = [p["metadata"]["name"] for p in found["pods"][: count // 2]]
    found["endpointslices"][0]["endpoints"] = [{"targetRef": {"kind": "Pod", "name": n}} for n in behind]
    return found


def figures(samples: list[float]) -> str:
    ordered = sorted(samples)
    return f"{statistics.median(ordered) * 1e3:.1f} ms, p99 {ordered[int(len(ordered) * 0.99) - 1] * 1e3:.1f} ms"


async def stir(cluster: FakeCluster, rate: int) -> None:
    """Change a pod, `rate` times a second, for ever."""
    number = 0
    while True:
        pods = cluster.objects["pods"]
        old = pods[number % len(pods)]
        ready = {"conditions": [{"type": "Ready", "status": "True" if number % 3 else "False"}]}
        cluster.put("pods", {**old, "metadata": dict(old["metadata"]), "status": {**old["status"], **ready}})
        number += 1
        await asyncio.sleep(1 / rate)


async def echo(app: KubelearnApp, count: int) -> list[float]:
    """From a key that reaches the app to the screen on which its character stands."""
    line = app.query_one(CommandLine)
    samples = []
    for _ in range(count):
        line.value = ""
        await asyncio.sleep(0.013)
        shown = asyncio.Event()
        drawn = line.render_line

        def render(y: int, drawn=drawn, shown=shown):  # type: ignore[no-untyped-def]
            strip = drawn(y)
            if "x" in strip.text:
                shown.set()
            return strip

        line.render_line = render  # type: ignore[method-assign]
        began = time.perf_counter()
        app.post_message(events.Key("x", "x"))
        await shown.wait()
        samples.append(time.perf_counter() - began)
        line.render_line = drawn  # type: ignore[method-assign]
    return samples


def frame(app: KubelearnApp, count: int) -> list[float]:
    """The picture drawn anew: graph, layout, lines, and the cells in view."""
    picture = app.query_one(Picture)
    samples = []
    for i in range(count):
        snapshot = app.snapshot()
        snapshot.revision += i + 1  # so that something changed
        began = time.perf_counter()
        picture.show(snapshot)
        for y in range(picture.size.height):
            picture.render_line(y)
        samples.append(time.perf_counter() - began)
    return samples


async def measure(pods: int, rate: int, keys: int, home: Path) -> list[Row]:
    progress.save(home, progress.Progress(lesson="controllers", step=1))
    cluster = FakeCluster(crowd(pods))
    app = KubelearnApp(Client(cluster), FakeShell(), home, cluster="bench")
    began = time.perf_counter()
    async with app.run_test(size=(120, 40)) as pilot:
        picture = app.query_one(Picture)
        while "ReplicaSet" not in picture.text:
            await pilot.pause(0.005)
        rows = [("first picture on the screen", f"{(time.perf_counter() - began) * 1e3:.0f} ms", "")]
        app.action_view()
        app.action_view()
        calm = await echo(app, keys)
        stirring = asyncio.get_running_loop().create_task(stir(cluster, rate))
        busy = await echo(app, keys)
        stirring.cancel()
        rows += [
            ("a key to its echo, cluster at rest", figures(calm), "aim 30 ms"),
            (f"a key to its echo, {rate} events a second", figures(busy), "aim 30 ms"),
            (f"the picture of {pods} pods drawn anew", figures(frame(app, 100)), "20 a second at most"),
        ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=100)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--keys", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        rows = asyncio.run(measure(options.pods, options.events, options.keys, Path(home)))
    width = max(len(r[0]) for r in rows)
    for what, figure, note in rows:
        print(f"{what:<{width}}  {figure:<28}  {note}")


if __name__ == "__main__":
    main()
