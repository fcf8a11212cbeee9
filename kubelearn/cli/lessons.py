"""Commands of the guided lessons: lesson, demo."""

from __future__ import annotations

import argparse
from typing import Any

from kubelearn.cli.options import command, copy_argument, output_argument, seconds
from kubelearn.cli.reach import bring_up, folder_of, running, tell, with_client

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


def add_commands(commands: Any) -> None:
    demo = command(
        commands,
        "demo",
        _demo,
        "the first lesson plays itself; no terminal needed",
        "  kubelearn demo\n  kubelearn demo --lesson services --lang zh\n",
    )
    for action in ("nodes", "engine", "lang"):
        copy_argument(demo, action)
    demo.add_argument("--lesson", metavar="ID", default="first-pod", help="the lesson to play (default: %(default)s)")
    demo.add_argument(
        "--timeout", type=seconds, metavar="S", default=60.0, help="seconds that a step may take (default: 60)"
    )
    lesson = command(commands, "lesson", _lesson, "guided lessons, without the terminal app", _LESSON_EXAMPLES)
    lesson.add_argument("action", choices=_LESSON_ACTIONS, metavar="ACTION", help=" | ".join(_LESSON_ACTIONS))
    lesson.add_argument(
        "id", nargs="?", default="", metavar="ID", help="a lesson's id or number; or your answer's number"
    )
    lesson.add_argument("--all", action="store_true", help="verify every lesson (as verify does when no id is given)")
    copy_argument(lesson, "lang")
    output_argument(lesson)


def _demo(options: argparse.Namespace) -> int:
    from kubelearn.lessons import demo

    bring_up(options)
    return int(
        with_client(options.name, lambda client: demo.play(client, options.lesson, options.lang, tell, options.timeout))
    )


def _lesson(options: argparse.Namespace) -> int:
    from kubelearn.lessons import authoring, commands

    if options.action == "list":
        return commands.listing(folder_of(options.name).root, options.lang, options.output, print)
    if options.action == "new":
        return authoring.new(options.id, print)
    folder = running(options.name)
    if options.action == "verify":
        every = "" if options.all else options.id
        return int(with_client(options.name, lambda client: authoring.prove(client, every, options.output, tell)))
    return int(
        with_client(
            options.name,
            lambda client: commands.run(
                client, folder.root, options.action, options.id, lang=options.lang, output=options.output, say=print
            ),
        )
    )
