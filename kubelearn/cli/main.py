"""The program `kubelearn`: finds the command, runs it, and ends with its exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable

from kubelearn import KUBERNETES_VERSION, __version__
from kubelearn.cli import clusters, lessons, use
from kubelearn.cli.options import cluster_arguments, default_name
from kubelearn.kit.errors import KubelearnError

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
        return use.kubectl(rest[1:], name)
    if rest and rest[0] in use.OWN_VERBS:
        own, others = _name_anywhere(rest)
        return use.kubectl(others, own or name)
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    return command(options)


def _cluster_option(arguments: list[str]) -> tuple[str, list[str]]:
    """`--name N` before a command that has a parser of its own."""
    if len(arguments) >= 2 and arguments[0] == "--name":
        return arguments[1], arguments[2:]
    if arguments and arguments[0].startswith("--name="):
        return arguments[0].removeprefix("--name="), arguments[1:]
    return default_name(), arguments


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
    cluster_arguments(parser)
    parser.set_defaults(run=use.tui)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for part in (clusters, use, lessons):
        part.add_commands(commands)
    return parser
