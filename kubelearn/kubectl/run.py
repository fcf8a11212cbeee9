"""Run one kubectl command: find the verb, parse its flags, call it, word its failure, give its exit status.

The same for the process, the REPL and the TUI. What a process has to decide before (which server) is `main`'s.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Mapping

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, Transport, TransportError, WebSocket
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl import flags, help
from kubelearn.kubectl.failures import CommandError, Exit, PlainError, Several, UsageError, report
from kubelearn.kubectl.verb import Context, Parsed, Verb
from kubelearn.trace.cause import Acting, acting, current, new_trace_id

USER_AGENT = "kubectl/v1.37 (kubelearn)"
#: Commands that want a sub-command and, without one, print their help where others complain.
_HELP_IS_AN_ANSWER = ("rollout",)
_UNSUPPORTED = ("password", "username", "proxy-url", "profile", "profile-output", "match-server-version")


async def run(argv: list[str], ctx: Context) -> int:
    """`argv` without the word kubectl. Never raises for a command that fails: says why, gives the status."""
    try:
        path, verb, rest = find(argv)
        if verb is None:
            ctx.out(help.overview())
            return 0
        parsed = flags.parse(path, verb.flags, rest)
        return await _run(path, verb, parsed, ctx, argv)
    except (CommandError, KubelearnError, ApiError, TransportError, Several, Exit) as error:
        text, code = report(error)
        if text:
            ctx.err(text)
        return code


async def _run(path: str, verb: Verb, parsed: Parsed, ctx: Context, argv: list[str]) -> int:
    if parsed["help"]:
        ctx.out(help.of_verb(path, verb))
        return 0
    if verb.run is None:
        if parsed.args and verb.children:
            raise UsageError(path, f'unknown command "{" ".join(parsed.args)}"')
        (ctx.out if path in _HELP_IS_AN_ANSWER else ctx.err)(help.of_verb(path, verb))
        return 1
    own = {flag.name for flag in verb.flags}  # `config set-credentials` has a --username that means something
    for name in _UNSUPPORTED:
        if name in parsed.given and name not in own:
            raise CommandError(f"--{name} is not supported by kubelearn's kubectl")
    with_flags = _with_globals(ctx, parsed, path)
    now = current()
    command = now.command if now and now.command else "kubectl " + shlex.join(argv)
    trace = now.trace_id if now and now.trace_id else new_trace_id()
    with acting(Acting(trace_id=trace, revision=now.revision if now else 0, command=command)):
        code = await verb.run(with_flags, parsed)
    ctx.namespace = with_flags.cache.pop("namespace", ctx.namespace)
    if parsed["warnings-as-errors"] and (count := with_flags.cache.pop("warnings", 0)):
        raise CommandError(f"{count} warning{'s' if count > 1 else ''} received")
    return code


def find(argv: list[str]) -> tuple[str, Verb | None, list[str]]:
    """The verb that a command line names, the words that lead to it, and the other arguments."""
    name, rest = flags.split(argv, ())
    if not name:
        parsed = flags.parse("", (), rest)
        if parsed.after_dashes:
            raise _unknown(parsed.after_dashes[0])
        return "", None, rest
    verb = help.load(name)
    if verb is None:
        raise _unknown(name)
    path = name
    while verb.children:
        word, others = flags.split(rest, verb.flags)
        child = next((c for c in verb.children if word and word in (c.name, *c.aliases)), None)
        if child is None:
            break
        verb, rest, path = child, others, f"{path} {child.name}"
    return path, verb, rest


def _unknown(name: str) -> CommandError:
    text = f'unknown command "{name}" for "kubectl"'
    near = help.suggestions(name)
    return CommandError(text + "\n\nDid you mean this?\n" + "".join(f"\t{n}\n" for n in near) if near else text)


def _with_globals(ctx: Context, parsed: Parsed, path: str) -> Context:
    """The context that the verb sees: namespace, impersonation and request timeout applied."""
    headers = {"kubectl-command": f"kubectl {path}"} | _impersonation(ctx, parsed)
    seconds = _timeout(parsed["request-timeout"])
    transport = _Edge(ctx.client.transport, headers, seconds, ctx)
    client = Client(transport, user_agent=USER_AGENT)
    return dataclasses.replace(ctx, client=client, namespace=parsed["namespace"] or ctx.namespace)


def _impersonation(ctx: Context, parsed: Parsed) -> dict[str, str]:
    if not parsed["as"]:
        if parsed["as-group"] or parsed["as-uid"] or parsed["as-user-extra"]:
            raise PlainError(
                f"error: requesting uid, groups or user-extra for {ctx.cache.get('user', '')} without impersonating a user"
            )
        return {}
    headers = {"impersonate-user": parsed["as"]}
    if parsed["as-uid"]:
        headers["impersonate-uid"] = parsed["as-uid"]
    if parsed["as-group"]:
        headers["impersonate-group"] = "\0".join(parsed["as-group"])
    for extra in parsed["as-user-extra"]:
        key, _, value = extra.partition("=")
        headers[f"impersonate-extra-{key.lower()}"] = value
    return headers


def _timeout(text: str) -> float:
    with contextlib.suppress(ValueError):
        return float(int(text))
    with contextlib.suppress(ValueError):
        return flags.duration(text)
    raise CommandError(
        "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding "
        "time unit (e.g. 1s | 2m | 3h)"
    )


class _Edge:
    """The transport as one command uses it: extra headers out, the server's warnings to standard error."""

    def __init__(self, inner: Transport, headers: Mapping[str, str], seconds: float, ctx: Context) -> None:
        self._inner = inner
        self._headers = headers
        self._seconds = seconds
        self._ctx = ctx
        self._warned: set[str] = set()

    async def send(self, request: Request) -> Response:
        request.headers = {**request.headers, **self._headers}
        if self._seconds and not request.param("timeout"):
            request.query.append(("timeout", f"{self._seconds:g}s"))
        response = await self._inner.send(request)
        for name, value in response.headers.items():
            if name.lower() == "warning":
                self._warn(value)
        return response

    def _warn(self, header: str) -> None:
        for text in _warnings(header):
            if text not in self._warned:
                self._warned.add(text)
                self._ctx.cache["warnings"] = self._ctx.cache.get("warnings", 0) + 1
                self._ctx.err(f"Warning: {text}\n")

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        request.headers = {**request.headers, **self._headers}
        return await self._inner.websocket(request, protocols)

    async def stream(self, request: Request) -> Response:
        """An answer as it comes, where the transport can (logs); else whole."""
        request.headers = {**request.headers, **self._headers}
        streaming = getattr(self._inner, "stream", self._inner.send)
        response: Response = await streaming(request)
        return response

    async def close(self) -> None:
        """The session's connection outlives the command."""


def _warnings(header: str) -> list[str]:
    """The texts of a Warning header: `299 - "text"`, several with commas between (RFC 7234)."""
    found: list[str] = []
    rest = header.strip()
    while rest:
        _code, _, rest = rest.partition(" ")
        _agent, _, rest = rest.strip().partition(" ")
        if not rest.startswith('"'):
            return found
        text, at = "", 1
        while at < len(rest) and rest[at] != '"':
            at += rest[at] == "\\"
            text += rest[at : at + 1]
            at += 1
        found.append(text)
        rest = rest[at + 1 :].partition(",")[2].strip()
    return found


def check_line(argv: list[str]) -> str:
    """What is wrong with a command line as far as can be told without running it; empty when nothing is."""
    try:
        path, verb, rest = find(argv)
        if verb is not None:
            flags.parse(path, verb.flags, rest)
    except (CommandError, KubelearnError, Several, Exit) as error:
        return report(error)[0].strip()
    return ""
