"""Commands on clusters: up, down, status, clusters, doctor, image."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING, Any

from kubelearn.cli.options import command, copy_argument, etcd_arguments, output_argument
from kubelearn.cli.reach import bring_up, folder_of, name_flag, say
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from kubelearn.cluster.state import ClusterFolder


def add_commands(commands: Any) -> None:
    up = command(
        commands,
        "up",
        _up,
        "start a cluster in the background, or resume one",
        "  kubelearn up\n  kubelearn up --nodes 3 --engine process\n",
    )
    for action in ("nodes", "engine", "store", "port"):
        copy_argument(up, action)
    etcd_arguments(up)
    output_argument(up)
    output_argument(command(commands, "down", _down, "remove a cluster and every trace of it", "  kubelearn down\n"))
    output_argument(command(commands, "status", _status, "what runs", "  kubelearn status --output json\n"))
    output_argument(command(commands, "clusters", _clusters, "list the clusters of this machine"))
    output_argument(command(commands, "doctor", _doctor, "look for what could go wrong, and say what to do"))
    image = command(commands, "image", _image, "build the docker engine's images", "  kubelearn image build\n")
    image.add_argument("action", choices=("build", "list"))


def _up(options: argparse.Namespace) -> int:
    folder = folder_of(options.name)
    if options.nodes is not None and not 1 <= options.nodes <= 50:
        raise KubelearnError(f"--nodes {options.nodes}: a cluster has 1 to 50 workers")
    was_running = folder.daemon_pid() is not None
    config = bring_up(options)
    if options.output == "json":
        print(json.dumps({**_describe(folder), "alreadyRunning": was_running}))
        return 0
    state = "is already running" if was_running else "is up"
    print(f'cluster "{config.name}" {state}: {config.nodes} workers Ready, engine {config.engine}')
    print(f"  export KUBECONFIG=$(kubelearn kubeconfig --path{name_flag(config.name)})")
    return 0


def _down(options: argparse.Namespace) -> int:
    from kubelearn.cluster.lifecycle import down

    removed = asyncio.run(down(folder_of(options.name)))
    if options.output == "json":
        print(json.dumps({"name": options.name, "removed": removed}))
    else:
        print(f'cluster "{options.name}" ' + ("is removed" if removed else "does not exist; nothing to remove"))
    return 0


def _status(options: argparse.Namespace) -> int:
    folder = folder_of(options.name)
    facts = _describe(folder)
    machines, problem = _machines(folder) if facts["running"] else ({}, "")
    facts |= {"machines": machines, "problem": problem}
    if options.output == "json":
        print(json.dumps(facts))
    elif facts["engine"] is None:
        print(f'no cluster "{options.name}"; start one with: kubelearn up{name_flag(options.name)}')
    else:
        state = "running" if facts["running"] else "stopped (kubelearn up resumes it)"
        print(
            f'cluster "{options.name}": {state}, engine {facts["engine"]}, store {facts["store"]}, '
            f"{facts['nodes']} workers, {facts['server']}"
        )
        for name, machine in machines.items():
            print(f"  {name}: {machine}")
        if problem:
            print(f"  {problem}")
    return 0 if facts["running"] else 1


def _machines(folder: ClusterFolder) -> tuple[dict[str, str], str]:
    """The nodes' machines, or why nobody can say."""
    from kubelearn.cluster import power

    try:
        return power.states(folder), ""
    except KubelearnError as error:
        return {}, error.message


def _clusters(options: argparse.Namespace) -> int:
    from kubelearn.cluster.state import clusters

    rows = [_describe(folder) for folder in clusters()]
    if options.output == "json":
        print(json.dumps(rows))
        return 0
    if not rows:
        print("no clusters; start one with: kubelearn up")
    for row in rows:
        print(f"{row['name']:<16} {'running' if row['running'] else 'stopped':<8} {row['engine']:<8} {row['server']}")
    return 0


def _describe(folder: ClusterFolder) -> dict[str, object]:
    config = folder.read()
    return {
        "name": folder.name,
        "running": folder.daemon_pid() is not None,
        "engine": config.engine if config else None,
        "store": config.store if config else None,
        "nodes": config.nodes if config else None,
        "server": f"https://127.0.0.1:{config.port}" if config else None,
        "kubeconfig": str(folder.kubeconfig),
        "log": str(folder.log),
        "pid": folder.daemon_pid(),
    }


def _doctor(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from kubelearn.cluster.doctor import examine

    findings = examine()
    if options.output == "json":
        print(json.dumps([asdict(f) for f in findings]))
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else 'BAD'} {finding.check:<16} {finding.seen}")
            if finding.hint:
                print(f"      {finding.hint}")
    engines_work = any(f.ok for f in findings if f.check.startswith("engine "))
    return 0 if engines_work and not any(f.fatal for f in findings) else 1


def _image(options: argparse.Namespace) -> int:
    from kubelearn import engines

    docker = engines.factory("docker")
    missing = docker.missing_images()
    if options.action == "list":
        print("\n".join(f"missing: {tag}" for tag in missing) or "all images are there")
    elif missing:
        docker.build_images(say)
        print("images are built")
    else:
        print("all images are there")
    return 0
