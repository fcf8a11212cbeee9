"""Commands that use a cluster: kubectl and kubelearn's own verbs, shell, kubeconfig, graph, the terminal app."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubelearn.cli.options import command, revision
from kubelearn.cli.reach import bring_up, folder_of, name_flag, running, with_client
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from kubelearn.cluster.state import ClusterFolder

#: kubelearn's own verbs that live beside kubectl's and work in every shell of ours.
OWN_VERBS = ("why", "trace", "waiting", "pause", "step", "continue", "node")


def add_commands(commands: Any) -> None:
    commands.add_parser("kubectl", help="one kubectl command, ours (alias: k)", add_help=False)
    for verb, summary in (
        ("why", "from the command you typed to the object: every hop and its time"),
        ("trace", "the timeline of what happened, and why"),
        ("waiting", "what each component has waiting at the gate"),
        ("pause", "hold a component's watch events"),
        ("step", "deliver a held component's next event"),
        ("continue", "let a held component go on"),
        ("node", "failure drills: stop, start, kill, pause, disconnect a node's machine"),
    ):
        commands.add_parser(verb, help=summary, add_help=False)
    shell = command(
        commands,
        "shell",
        _shell,
        "the shell alone",
        "  kubelearn shell\n  kubelearn shell -c 'get pods -A'\n",
    )
    shell.add_argument("-c", dest="line", metavar="CMD", help="run one line and exit with its status")
    shell.add_argument("--context", default="", help="a context of your kubeconfig instead of kubelearn's cluster")
    kubeconfig = command(
        commands,
        "kubeconfig",
        _kubeconfig,
        "print the cluster's kubeconfig",
        "  export KUBECONFIG=$(kubelearn kubeconfig --path)\n",
    )
    kubeconfig.add_argument("--path", action="store_true", help="print where it is instead")
    graph = command(
        commands,
        "graph",
        _graph,
        "the picture of the cluster",
        "  kubelearn graph\n  kubelearn graph --view ownership --format mermaid\n"
        "  kubelearn graph --view traffic --format svg --output traffic.svg\n"
        "  kubelearn graph --at 184\n",
    )
    graph.add_argument("--view", choices=("architecture", "ownership", "traffic"), default="architecture")
    graph.add_argument("--format", choices=("text", "svg", "mermaid", "dot", "json"), default="text")
    graph.add_argument("--at", type=revision, metavar="REV", default=0, help="as it was at that revision (see trace)")
    graph.add_argument("--output", "-o", metavar="FILE", default="", help="write it there instead of printing it")


def kubectl(arguments: list[str], name: str) -> int:
    from kubelearn.kubectl.main import main

    folder = folder_of(name)
    code = asyncio.run(main(arguments, folder.kubeconfig, program="kubelearn kubectl"))
    if code == 0 and arguments:
        program = "kubelearn" if arguments[0] in OWN_VERBS else "kubectl"
        _count(folder, shlex.join([program, *arguments]))
    return code


def _count(folder: ClusterFolder, line: str) -> None:
    """A line that succeeded counts for the lesson that is under way, wherever it was typed."""
    if (folder.root / "progress.json").exists():  # most lines: nothing to import
        from kubelearn.lessons import progress

        progress.record(folder.root, line)


def _kubeconfig(options: argparse.Namespace) -> int:
    folder = folder_of(options.name)
    if not folder.kubeconfig.exists():
        raise KubelearnError(f'no cluster "{options.name}"', f"start one with: kubelearn up{name_flag(options.name)}")
    print(folder.kubeconfig if options.path else folder.kubeconfig.read_text().rstrip())
    return 0


def _shell(options: argparse.Namespace) -> int:
    from kubelearn.shell.main import shell

    if options.context:
        return asyncio.run(shell(None, options.context, options.line))
    folder = running(options.name)
    return asyncio.run(shell(folder.kubeconfig, "", options.line, lambda line: _count(folder, line)))


def _graph(options: argparse.Namespace) -> int:
    from kubelearn.graph import render, snapshot

    async def draw(client: Any) -> str:
        return render.render(await snapshot.take(client, options.at), options.view, options.format)

    picture = with_client(options.name, draw)
    if not options.output:
        print(picture)
        return 0
    try:
        Path(options.output).write_text(picture.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise KubelearnError(f"{options.output} cannot be written: {error.strerror}") from error
    return 0


def tui(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise KubelearnError("kubelearn needs a terminal", "without one, try: kubelearn demo, or: kubelearn --help", 2)
    bring_up(options)
    from kubelearn.tui.main import run

    folder = folder_of(options.name)
    return asyncio.run(run(folder.kubeconfig, folder.root, options.lang, options.lesson))
