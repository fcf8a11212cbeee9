"""The command line: the only module that knows everything, and imports each thing when its command runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubelearn import KUBERNETES_VERSION, __version__
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from kubelearn.cluster.state import ClusterConfig, ClusterFolder

_LESSON_ACTIONS = (
    "list", "start", "answer", "check", "hint", "solution", "next", "reset", "verify", "new",
)  # fmt: skip
_LESSON_EXAMPLES = """\
  kubelearn lesson list                  every lesson, and how far you are
  kubelearn lesson start services        bring about its start state, and show the first step
  kubelearn lesson answer 2              answer the step's question
  kubelearn kubectl get pods -o wide     do what the step asks for
  kubelearn lesson check                 what is seen, and what is wanted
  kubelearn lesson hint                  one hint more each time; then: kubelearn lesson solution
  kubelearn lesson next                  check, and go on
  kubelearn lesson reset                 the lesson from its beginning
  kubelearn lesson verify --all          for authors: prove every lesson on this cluster
  kubelearn lesson new my-lesson         for authors: a folder to begin with
"""

#: kubelearn's own verbs that live beside kubectl's and work in every shell of ours.
_OWN_VERBS = ("why", "trace", "waiting", "pause", "step", "continue", "node")

_EXAMPLES = """\
examples:
  kubelearn                              the terminal app; brings a cluster up first
  kubelearn demo                         the first lesson plays itself
  kubelearn up --nodes 3                 a cluster of three workers, in the background
  kubelearn kubectl get pods -A          kubectl, ours
  export KUBECONFIG=$(kubelearn kubeconfig --path)   then any Kubernetes client works
  kubelearn why pod/web-7d4-x2x          from the command you typed to the running container
  kubelearn pause kube-scheduler; kubelearn step kube-scheduler
  kubelearn node stop worker-2           a failure drill
  kubelearn down                         removes every trace
"""


def main(argv: list[str] | None = None) -> None:
    """The entry point of the `kubelearn` program; ends the process with the command's exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _main(arguments)
    except KubelearnError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 141
    sys.exit(code)


def _main(arguments: list[str]) -> int:
    name, rest = _cluster_option(arguments)
    if rest and rest[0] in ("kubectl", "k"):
        return _kubectl(rest[1:], name)
    if rest and rest[0] in _OWN_VERBS:
        own, others = _name_anywhere(rest)
        return _kubectl(others, own or name)
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    return command(options)


def _cluster_option(arguments: list[str]) -> tuple[str, list[str]]:
    """`--name N` before a command that has a parser of its own."""
    if len(arguments) >= 2 and arguments[0] == "--name":
        return arguments[1], arguments[2:]
    if arguments and arguments[0].startswith("--name="):
        return arguments[0].removeprefix("--name="), arguments[1:]
    return _default_name(), arguments


def _name_anywhere(arguments: list[str]) -> tuple[str, list[str]]:
    """kubelearn's own verbs take `--name N` wherever it stands; kubectl's may have a flag of that name."""
    name, rest, words = "", [], iter(arguments)
    for word in words:
        if word == "--name":
            name = next(words, "")
        elif word.startswith("--name="):
            name = word.removeprefix("--name=")
        else:
            rest.append(word)
    return name, rest


def _default_name() -> str:
    return os.environ.get("KUBELEARN_CLUSTER", "local")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kubelearn",
        description="Kubernetes with the lid off: a small real cluster, a guided lesson, a shell and a live picture.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"kubelearn {__version__} (Kubernetes v{KUBERNETES_VERSION})"
    )
    _cluster_arguments(parser)
    parser.set_defaults(run=_tui)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for add in (_add_cluster_commands, _add_use_commands, _add_lesson_commands):
        add(commands)
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str, examples: str = ""
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", default=_default_name(), help="the cluster (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def _cluster_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default=_default_name(), help="the cluster (default: %(default)s)")
    parser.add_argument("--nodes", type=int, metavar="N", help="workers (default: 2)")
    parser.add_argument("--engine", choices=("auto", "docker", "process"), help="what runs containers (default: auto)")
    parser.add_argument("--store", choices=("sqlite", "memory"), help="where objects are kept (default: sqlite)")
    parser.add_argument("--port", type=int, metavar="N", help="the API server's port (default: 6443 or a free one)")
    parser.add_argument("--lang", choices=("en", "zh"), default=_language(), help="language of the lessons")
    parser.add_argument("--lesson", metavar="ID", default="", help="the lesson to open (default: where you left off)")


def _language() -> str:
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", "-o", choices=("text", "json"), default="text", help="(default: text)")


def _add_cluster_commands(commands: Any) -> None:
    up = _command(
        commands,
        "up",
        _up,
        "start a cluster in the background, or resume one",
        "  kubelearn up\n  kubelearn up --nodes 3 --engine process\n",
    )
    for action in ("nodes", "engine", "store", "port"):
        _copy_argument(up, action)
    _output(up)
    _output(_command(commands, "down", _down, "remove a cluster and every trace of it", "  kubelearn down\n"))
    _output(_command(commands, "status", _status, "what runs", "  kubelearn status --output json\n"))
    _output(_command(commands, "clusters", _clusters, "list the clusters of this machine"))
    _output(_command(commands, "doctor", _doctor, "look for what could go wrong, and say what to do"))
    image = _command(commands, "image", _image, "build the docker engine's images", "  kubelearn image build\n")
    image.add_argument("action", choices=("build", "list"))


def _copy_argument(parser: argparse.ArgumentParser, name: str) -> None:
    donor = argparse.ArgumentParser(add_help=False)
    _cluster_arguments(donor)
    action = next(a for a in donor._actions if a.dest == name)
    parser._add_action(action)


def _add_use_commands(commands: Any) -> None:
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
    shell = _command(
        commands,
        "shell",
        _shell,
        "the shell alone",
        "  kubelearn shell\n  kubelearn shell -c 'get pods -A'\n",
    )
    shell.add_argument("-c", dest="line", metavar="CMD", help="run one line and exit with its status")
    shell.add_argument("--context", default="", help="a context of your kubeconfig instead of kubelearn's cluster")
    kubeconfig = _command(
        commands,
        "kubeconfig",
        _kubeconfig,
        "print the cluster's kubeconfig",
        "  export KUBECONFIG=$(kubelearn kubeconfig --path)\n",
    )
    kubeconfig.add_argument("--path", action="store_true", help="print where it is instead")
    graph = _command(
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
    graph.add_argument("--at", type=_revision, metavar="REV", default=0, help="as it was at that revision (see trace)")
    graph.add_argument("--output", "-o", metavar="FILE", default="", help="write it there instead of printing it")


def _add_lesson_commands(commands: Any) -> None:
    demo = _command(
        commands,
        "demo",
        _demo,
        "the first lesson plays itself; no terminal needed",
        "  kubelearn demo\n  kubelearn demo --lesson services --lang zh\n",
    )
    for action in ("nodes", "engine", "lang"):
        _copy_argument(demo, action)
    demo.add_argument("--lesson", metavar="ID", default="first-pod", help="the lesson to play (default: %(default)s)")
    demo.add_argument(
        "--timeout", type=_seconds, metavar="S", default=60.0, help="seconds that a step may take (default: 60)"
    )
    lesson = _command(commands, "lesson", _lesson, "guided lessons, without the terminal app", _LESSON_EXAMPLES)
    lesson.add_argument("action", choices=_LESSON_ACTIONS, metavar="ACTION", help=" | ".join(_LESSON_ACTIONS))
    lesson.add_argument(
        "id", nargs="?", default="", metavar="ID", help="a lesson's id or number; or your answer's number"
    )
    lesson.add_argument("--all", action="store_true", help="verify every lesson (as verify does when no id is given)")
    _copy_argument(lesson, "lang")
    _output(lesson)


# ---- clusters


def _folder(name: str) -> ClusterFolder:
    from kubelearn.cluster.state import ClusterFolder

    return ClusterFolder.of(name)


def _say(text: str) -> None:
    """Progress goes to standard error, so that standard output stays the answer."""
    print(text, file=sys.stderr, flush=True)


def _bring_up(options: argparse.Namespace) -> ClusterConfig:
    from kubelearn.cluster.lifecycle import Wanted, up

    wanted = Wanted(
        getattr(options, "engine", None),
        getattr(options, "nodes", None),
        getattr(options, "store", None),
        getattr(options, "port", None),
    )
    return up(_folder(options.name), wanted, _say)


def _up(options: argparse.Namespace) -> int:
    folder = _folder(options.name)
    if options.nodes is not None and not 1 <= options.nodes <= 50:
        raise KubelearnError(f"--nodes {options.nodes}: a cluster has 1 to 50 workers")
    was_running = folder.daemon_pid() is not None
    config = _bring_up(options)
    if options.output == "json":
        print(json.dumps({**_describe(folder), "alreadyRunning": was_running}))
        return 0
    state = "is already running" if was_running else "is up"
    print(f'cluster "{config.name}" {state}: {config.nodes} workers Ready, engine {config.engine}')
    print(f"  export KUBECONFIG=$(kubelearn kubeconfig --path{_name_flag(config.name)})")
    return 0


def _name_flag(name: str) -> str:
    return "" if name == _default_name() else f" --name {name}"


def _describe(folder: ClusterFolder) -> dict[str, object]:
    config = folder.read()
    return {
        "name": folder.name,
        "running": folder.daemon_pid() is not None,
        "engine": config.engine if config else None,
        "nodes": config.nodes if config else None,
        "server": f"https://127.0.0.1:{config.port}" if config else None,
        "kubeconfig": str(folder.kubeconfig),
        "log": str(folder.log),
        "pid": folder.daemon_pid(),
    }


def _down(options: argparse.Namespace) -> int:
    from kubelearn.cluster.lifecycle import down

    removed = asyncio.run(down(_folder(options.name)))
    if options.output == "json":
        print(json.dumps({"name": options.name, "removed": removed}))
    else:
        print(f'cluster "{options.name}" ' + ("is removed" if removed else "does not exist; nothing to remove"))
    return 0


def _status(options: argparse.Namespace) -> int:
    folder = _folder(options.name)
    facts = _describe(folder)
    machines, problem = _machines(folder) if facts["running"] else ({}, "")
    facts |= {"machines": machines, "problem": problem}
    if options.output == "json":
        print(json.dumps(facts))
    elif facts["engine"] is None:
        print(f'no cluster "{options.name}"; start one with: kubelearn up{_name_flag(options.name)}')
    else:
        state = "running" if facts["running"] else "stopped (kubelearn up resumes it)"
        print(
            f'cluster "{options.name}": {state}, engine {facts["engine"]}, {facts["nodes"]} workers, {facts["server"]}'
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


def _with_client(name: str, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Run `work` with a client of the cluster."""
    from kubelearn.api.errors import ApiError
    from kubelearn.client import kubeconfig
    from kubelearn.client.rest import Client
    from kubelearn.client.transport import TransportError

    folder = _running(name)

    async def run() -> Any:
        transport = kubeconfig.transport(kubeconfig.load(folder.kubeconfig))
        try:
            return await work(Client(transport))
        except (ApiError, TransportError) as error:
            raise KubelearnError(
                f'cluster "{name}": {error}', f"look at: kubelearn status{_name_flag(name)}"
            ) from error
        finally:
            await transport.close()

    return asyncio.run(run())


def _running(name: str) -> ClusterFolder:
    folder = _folder(name)
    if folder.read() is None:
        raise KubelearnError(f'no cluster "{name}"', f"start one with: kubelearn up{_name_flag(name)}")
    if folder.daemon_pid() is None:
        raise KubelearnError(f'cluster "{name}" is stopped', f"resume it with: kubelearn up{_name_flag(name)}")
    return folder


def _image(options: argparse.Namespace) -> int:
    from kubelearn import engines

    docker = engines.factory("docker")
    missing = docker.missing_images()
    if options.action == "list":
        print("\n".join(f"missing: {tag}" for tag in missing) or "all images are there")
    elif missing:
        docker.build_images(_say)
        print("images are built")
    else:
        print("all images are there")
    return 0


# ---- using a cluster


def _kubectl(arguments: list[str], name: str) -> int:
    from kubelearn.kubectl.main import main as kubectl

    folder = _folder(name)
    code = asyncio.run(kubectl(arguments, folder.kubeconfig, program="kubelearn kubectl"))
    if code == 0 and (folder.root / "progress.json").exists():
        from kubelearn.lessons import progress

        program = "kubelearn" if arguments[0] in _OWN_VERBS else "kubectl"
        progress.record(folder.root, shlex.join([program, *arguments]))
    return code


def _kubeconfig(options: argparse.Namespace) -> int:
    folder = _folder(options.name)
    if not folder.kubeconfig.exists():
        raise KubelearnError(f'no cluster "{options.name}"', f"start one with: kubelearn up{_name_flag(options.name)}")
    print(folder.kubeconfig if options.path else folder.kubeconfig.read_text().rstrip())
    return 0


def _shell(options: argparse.Namespace) -> int:
    from kubelearn.shell.main import shell

    kubeconfig = None if options.context else _running(options.name).kubeconfig
    return asyncio.run(shell(kubeconfig, options.context, options.line))


def _graph(options: argparse.Namespace) -> int:
    from kubelearn.graph import render, snapshot

    async def draw(client: Any) -> str:
        return render.render(await snapshot.take(client, options.at), options.view, options.format)

    picture = _with_client(options.name, draw)
    if not options.output:
        print(picture)
        return 0
    try:
        Path(options.output).write_text(picture.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise KubelearnError(f"{options.output} cannot be written: {error.strerror}") from error
    return 0


def _tui(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise KubelearnError("kubelearn needs a terminal", "without one, try: kubelearn demo, or: kubelearn --help", 2)
    _bring_up(options)
    from kubelearn.tui.main import run

    folder = _folder(options.name)
    return asyncio.run(run(folder.kubeconfig, folder.root, options.lang, options.lesson))


# ---- lessons


def _demo(options: argparse.Namespace) -> int:
    from kubelearn.lessons import demo

    _bring_up(options)
    return int(
        _with_client(
            options.name, lambda client: demo.play(client, options.lesson, options.lang, _tell, options.timeout)
        )
    )


def _tell(text: str) -> None:
    """An answer that comes bit by bit is seen bit by bit, through a pipe too."""
    print(text, flush=True)


def _revision(text: str) -> int:
    """As people read it in pictures and traces: 184 or r184."""
    digits = text.removeprefix("r")
    if not digits.isdecimal() or int(digits) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no revision")
    return int(digits)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds


def _lesson(options: argparse.Namespace) -> int:
    from kubelearn.lessons import authoring, commands

    if options.action == "list":
        return commands.listing(_folder(options.name).root, options.lang, options.output, print)
    if options.action == "new":
        return authoring.new(options.id, print)
    folder = _running(options.name)
    if options.action == "verify":
        every = "" if options.all else options.id
        return int(_with_client(options.name, lambda client: authoring.prove(client, every, options.output, _tell)))
    return int(
        _with_client(
            options.name,
            lambda client: commands.run(
                client, folder.root, options.action, options.id, lang=options.lang, output=options.output, say=print
            ),
        )
    )
