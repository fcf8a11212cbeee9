"""The verb registry's descriptor and what a verb runs with.

A verb is one file in `verbs/` that exports `VERB`. The same code runs under `kubelearn kubectl`, in the REPL and in
the TUI: a verb talks to `Context` only, never to sys.stdout or a terminal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kubelearn.client.rest import Client


class Input(Protocol):
    """Standard input of a verb: whole (`apply -f -`) or as it comes (`exec -i`)."""

    @property
    def is_tty(self) -> bool: ...
    async def read_all(self) -> bytes: ...
    def chunks(self) -> AsyncIterator[bytes]: ...


@dataclass(slots=True)
class Context:
    """`out` and `err` take text as it should appear; `raw` takes bytes (exec, logs). `interrupted` is set by Ctrl-C."""

    client: Client
    out: Callable[[str], None]
    err: Callable[[str], None]
    raw: Callable[[bytes], None]
    stdin: Input
    namespace: str = "default"
    is_tty: bool = False
    color: bool = False
    width: int = 120
    program: str = "kubectl"
    cwd: str = "."
    env: dict[str, str] = field(default_factory=dict)
    #: The kubeconfig file in use, for `config`; empty when there is none (in-process).
    kubeconfig: str = ""
    #: What lives longer than one command of a session: the server's resources, say.
    cache: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as pflag knows it. `kind`: string, bool, int, duration, strings (repeatable, comma-separated),
    array (repeatable, as is). `default_no_value` is the value of `--flag` given without one (`--dry-run`)."""

    name: str
    short: str = ""
    kind: str = "string"
    default: Any = None
    help: str = ""
    default_no_value: str | None = None
    complete: str = ""  # "namespaces", "files", "outputs", …: what completion offers for the value


@dataclass(frozen=True, slots=True)
class Parsed:
    """Arguments after parsing: positional ones, those after `--`, flags by name, and which were given."""

    args: list[str]
    after_dashes: list[str] | None
    flags: dict[str, Any]
    given: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.flags[name]


@dataclass(frozen=True, slots=True)
class Verb:
    """`children` holds sub-commands (`rollout status`); a verb with children and no `run` prints its help.
    `complete` names what the positional arguments are: "resource name", "pod", "file", …"""

    name: str
    summary: str
    usage: str
    examples: str = ""
    flags: tuple[Flag, ...] = ()
    run: Callable[[Context, Parsed], Awaitable[int]] | None = None
    children: tuple[Verb, ...] = ()
    complete: str = ""
    aliases: tuple[str, ...] = ()
    #: What `--help` says after the summary, where that is worth a paragraph.
    about: str = ""
