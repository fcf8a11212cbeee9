"""Options that several commands share, and how a command's parser is made."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any


def default_name() -> str:
    return os.environ.get("KUBELEARN_CLUSTER", "local")


def command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str, examples: str = ""
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", default=default_name(), help="the cluster (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def cluster_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default=default_name(), help="the cluster (default: %(default)s)")
    parser.add_argument("--nodes", type=int, metavar="N", help="workers (default: 2)")
    parser.add_argument("--engine", choices=("auto", "docker", "process"), help="what runs containers (default: auto)")
    parser.add_argument(
        "--store", choices=("sqlite", "etcd", "memory"), help="where objects are kept (default: sqlite)"
    )
    parser.add_argument("--port", type=int, metavar="N", help="the API server's port (default: 6443 or a free one)")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="language of the lessons")
    parser.add_argument("--lesson", metavar="ID", default="", help="the lesson to open (default: where you left off)")


def etcd_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `up --store etcd`."""
    parser.add_argument("--etcd-servers", metavar="URL[,URL]", help="running etcd servers (default: one of its own)")
    for name, what in (("ca", "authority of the servers"), ("cert", "client certificate"), ("key", "client key")):
        parser.add_argument(f"--etcd-{name}file", metavar="FILE", help=f"{what} of --etcd-servers")


def copy_argument(parser: argparse.ArgumentParser, name: str) -> None:
    donor = argparse.ArgumentParser(add_help=False)
    cluster_arguments(donor)
    action = next(a for a in donor._actions if a.dest == name)
    parser._add_action(action)


def output_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", "-o", choices=("text", "json"), default="text", help="(default: text)")


def language() -> str:
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def revision(text: str) -> int:
    """As people read it in pictures and traces: 184 or r184."""
    digits = text.removeprefix("r")
    if not digits.isdecimal() or int(digits) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no revision")
    return int(digits)


def seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds
