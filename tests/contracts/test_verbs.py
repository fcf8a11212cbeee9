"""What every verb, generator, describer and printer must satisfy; a new one is covered from the day its file is added."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, TransportError, WebSocket
from kubelearn.kit import discover
from kubelearn.kubectl import flags, help
from kubelearn.kubectl.complete import suggest
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.run import check_line, find, run
from kubelearn.kubectl.verb import Context, Flag, Verb

KINDS_OF_FLAGS = {"string", "bool", "int", "duration", "strings", "array"}
#: Flags of every command that kubectl, too, means otherwise in some.
SHADOWED = {"user", "cluster", "username", "password", "proxy-url"}
PIPES = ("|", ">", "<")


def walk(path: str, verb: Verb) -> Iterator[tuple[str, Verb]]:
    yield path, verb
    for child in verb.children:
        yield from walk(f"{path} {child.name}", child)


def _every() -> dict[str, Verb]:
    roots = [(name, help.load(name)) for name in (*help.verb_names(), *help.own_names())]
    return {path: verb for name, root in roots if root is not None for path, verb in walk(name, root)}


VERBS = _every()
DESCRIBERS = discover.discover("kubelearn.kubectl.describers", "DESCRIBER", Describer)
every_verb = pytest.mark.parametrize(("path", "verb"), VERBS.items(), ids=VERBS)


class Unreachable:
    """No server: help, examples and wrong flags must not need one."""

    async def send(self, request: Request) -> Response:
        raise TransportError("https://127.0.0.1:1: Connect call failed")

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise TransportError("https://127.0.0.1:1: Connect call failed")

    async def close(self) -> None:
        """Nothing is open."""


class NoInput:
    is_tty = False

    async def read_all(self) -> bytes:
        return b""

    async def chunks(self) -> Any:
        return
        yield b""


class Nothing:
    """A cluster without objects, for completion."""

    async def kinds(self) -> list[tuple[str, str]]:
        return [("pods", "po")]

    async def names(self, kind: str, namespace: str) -> list[str]:
        return []

    async def containers(self, pod: str, namespace: str) -> list[str]:
        return []

    async def components(self) -> list[str]:
        return []


async def execute(words: list[str]) -> tuple[int, str, str]:
    out: list[str] = []
    err: list[str] = []
    context = Context(
        client=Client(Unreachable()),
        out=out.append,
        err=err.append,
        raw=lambda data: out.append(data.decode()),
        stdin=NoInput(),
    )
    return await run(words, context), "".join(out), "".join(err)


def examples(verb: Verb) -> list[str]:
    """The command lines among the examples, continuation lines joined."""
    text = verb.examples.replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_names_and_aliases_are_unique() -> None:
    assert not set(help.verb_names()) & set(help.own_names())
    for path, verb in VERBS.items():
        words = [w for child in verb.children for w in (child.name, *child.aliases)]
        assert len(words) == len(set(words)), path


@every_verb
def test_help_is_complete(path: str, verb: Verb) -> None:
    assert verb.name == path.split()[-1]
    assert verb.usage.split()[0] == path.split()[0], "the usage begins with the command"
    assert verb.summary[0].isupper()
    assert not verb.summary.endswith(".")
    if verb.run is not None:
        assert examples(verb), "an example says more than a description"
    else:
        assert verb.children, "without a run, it is a group of commands"


@every_verb
def test_flags_are_sound(path: str, verb: Verb) -> None:
    everywhere = {f.name for f in (flags.HELP, *flags.GLOBAL)}
    names = [f.name for f in verb.flags]
    assert len(names) == len(set(names)), "a flag twice"
    assert not set(names) & everywhere - SHADOWED, "a flag that every command has"
    own = [f.short for f in verb.flags if f.short]
    assert len(own) == len(set(own))
    assert not set(own) & {"n", "s", "h"}, "letters that every command has"
    for flag in verb.flags:
        assert flag.kind in KINDS_OF_FLAGS
        assert flag.help, flag.name
        assert not flag.help.endswith("."), flag.help
    values = flags.parse(path, verb.flags, []).flags
    assert set(values) == everywhere | set(names)
    assert all(values[f.name] == [] for f in verb.flags if f.kind in ("strings", "array") and f.default is None)


@every_verb
def test_examples_parse(path: str, verb: Verb) -> None:
    """Each is about this command, and its flags are right."""
    for line in examples(verb):
        words = shlex.split(line.split(" | ")[-1], comments=True)
        words = words[: next((i for i, w in enumerate(words) if w in PIPES), len(words))]
        program, *rest = words
        assert program in ("kubectl", "kubelearn"), line
        assert check_line(rest) == "", line
        found, _, _ = find(rest)
        assert (found + " ").startswith(path.split()[0] + " "), line


@every_verb
async def test_help_needs_no_server(path: str, verb: Verb) -> None:
    for flag in ("--help", "-h"):
        code, out, err = await execute([*path.split(), flag])
        assert (code, err) == (0, "")
        assert out.startswith(verb.summary)
        assert f"Usage:\n  kubectl {verb.usage}" in out
        assert all(f"--{f.name}=" in out for f in verb.flags)


@every_verb
async def test_an_unknown_flag(path: str, verb: Verb) -> None:
    code, out, err = await execute([*path.split(), "--no-such-flag"])
    see = f"See 'kubectl {path} --help' for usage."
    assert (code, out, err) == (1, "", f"error: unknown flag: --no-such-flag\n{see}\n")
    code, _, err = await execute([*path.split(), "-Ж"])
    assert (code, err) == (1, f"error: unknown shorthand flag: 'Ж' in -Ж\n{see}\n")


@every_verb
async def test_a_flag_without_its_value(path: str, verb: Verb) -> None:
    for flag in verb.flags:
        if flag.kind == "bool" or flag.default_no_value is not None:
            continue
        _, _, err = await execute([*path.split(), f"--{flag.name}"])
        assert err.startswith(f"error: flag needs an argument: --{flag.name}\n")


@every_verb
async def test_flags_complete(path: str, verb: Verb) -> None:
    line = f"kubectl {path} --"
    found = {s.text for s in await suggest(line, len(line), Nothing())}
    assert {f"--{f.name}" for f in (*verb.flags, *flags.GLOBAL)} <= found


@every_verb
async def test_values_of_flags_complete(path: str, verb: Verb) -> None:
    """No flag's value and no argument makes completion fail, whatever the cluster holds."""
    for flag in verb.flags:
        line = f"kubectl {path} --{flag.name} "
        for suggestion in await suggest(line, len(line), Nothing()):
            assert suggestion.start == len(line)
    line = f"kubectl {path} "
    for suggestion in await suggest(line, len(line), Nothing()):
        assert not suggestion.text.startswith("-")


async def test_sub_commands_complete() -> None:
    for path, verb in VERBS.items():
        if verb.children and verb.run is None:
            line = f"kubectl {path} "
            found = {s.text for s in await suggest(line, len(line), Nothing())}
            assert {child.name for child in verb.children} == found


@pytest.mark.parametrize("path", [p for p, v in VERBS.items() if v.children and v.run is None])
async def test_a_group_of_commands_wants_one(path: str) -> None:
    code, out, err = await execute(path.split())
    assert code == 1
    assert "Available Commands:" in out + err
    code, _, err = await execute([*path.split(), "no-such", "thing"])
    assert (code, err) == (
        1,
        f"error: unknown command \"no-such thing\"\nSee 'kubectl {path} -h' for help and examples\n",
    )


@pytest.mark.parametrize("name", DESCRIBERS)
async def test_describers_are_total(name: str) -> None:
    """An object with nothing in it can be described: a server may leave out everything that has no value."""

    async def get(*_args: Any) -> None:
        return None

    async def list_(*_args: Any, **_query: Any) -> list[Any]:
        return []

    async def serves(_word: str) -> bool:
        return True

    writer = Writer()
    obj = {"apiVersion": "v1", "kind": name.title(), "metadata": {"name": "x", "namespace": "default"}}
    await DESCRIBERS[name].write(writer, obj, Sources(get, list_, serves))
    assert writer.text().startswith("Name:")


FORMATS = {
    "json": "", "yaml": "", "name": "", "jsonpath": "{.metadata.name}", "jsonpath-as-json": "{.metadata.name}",
    "go-template": "{{.metadata.name}}", "template": "{{.metadata.name}}", "custom-columns": "NAME:.metadata.name",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_printers_print_one_and_many(name: str) -> None:
    argument = FORMATS[name]
    one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    texts: list[str] = []
    output = f"{name}={argument}" if argument else name
    choose.printer(output)(one, texts.append)
    assert "a" in "".join(texts)
    texts.clear()
    many = {"apiVersion": "v1", "kind": "List", "items": [one, {**one, "metadata": {"name": "b"}}]}
    choose.printer(output)(many, texts.append)
    assert texts


@pytest.mark.parametrize("name", [n for n, a in FORMATS.items() if a])
def test_printers_want_their_template(name: str) -> None:
    with pytest.raises(CommandError):
        choose.printer(name)


def test_a_format_that_is_none() -> None:
    with pytest.raises(CommandError) as caught:
        choose.printer("nosuch")
    assert caught.value.message.startswith('unable to match a printer suitable for the output format "nosuch", allowed')
    assert all(f in choose.ALLOWED.split(",") for f in FORMATS)


def test_every_flag_kind_is_shown_in_help() -> None:
    made = tuple(Flag(f"f{i}", kind=kind, help="x") for i, kind in enumerate(sorted(KINDS_OF_FLAGS)))
    text = help.of_verb("x", Verb("x", "X", "x", flags=made))
    assert all(f"--{f.name}=" in text for f in made)
