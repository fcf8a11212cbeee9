"""Flags as pflag reads them: anywhere on the line, `-ojson`, `-o=json`, `--force=true`, with its messages.

Pure. `find` splits a line into the verb and the rest as cobra does; `parse` turns the rest into a `Parsed`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kubelearn.kubectl.failures import CommandError, FlagError
from kubelearn.kubectl.verb import Flag, Parsed

HELP = Flag("help", "h", "bool", False, "show help for the command")

GLOBAL: tuple[Flag, ...] = (
    Flag("as", help="act as this user"),
    Flag("as-group", kind="array", help="act as a member of this group (repeatable)"),
    Flag("as-uid", help="act with this UID"),
    Flag("as-user-extra", kind="array", help="extra attributes of the user to act as"),
    Flag("cache-dir", help="accepted, not needed: nothing is cached on disk"),
    Flag("certificate-authority", help="file with the certificate authority", complete="files"),
    Flag("client-certificate", help="file with the client certificate", complete="files"),
    Flag("client-key", help="file with the client key", complete="files"),
    Flag("cluster", help="a cluster of the kubeconfig"),
    Flag("context", help="a context of the kubeconfig", complete="contexts"),
    Flag("disable-compression", kind="bool", default=False, help="accepted: answers are never compressed"),
    Flag("insecure-skip-tls-verify", kind="bool", default=False, help="do not check the server's certificate"),
    Flag("kubeconfig", help="file to read the configuration from", complete="files"),
    Flag("kuberc", help="accepted, not needed: there are no preferences"),
    Flag("log-flush-frequency", kind="duration", default=5.0, help="accepted, not needed: there is no log"),
    Flag("match-server-version", kind="bool", default=False, help="require the server to have this client's version"),
    Flag("namespace", "n", help="the namespace to work in", complete="namespaces"),
    Flag("password", help="password for basic authentication"),
    Flag("profile", default="none", help="not supported"),
    Flag("profile-output", default="profile.pprof", help="not supported"),
    Flag("proxy-url", help="not supported"),
    Flag("request-timeout", default="0", help="give up on a request after this long; 0: never"),
    Flag("server", "s", help="address of the API server"),
    Flag("tls-server-name", help="name to expect in the server's certificate"),
    Flag("token", help="bearer token"),
    Flag("user", help="a user of the kubeconfig"),
    Flag("username", help="name for basic authentication"),
    Flag("v", "v", "int", 0, "accepted, not needed: there is no log"),
    Flag("vmodule", help="accepted, not needed: there is no log"),
    Flag("warnings-as-errors", kind="bool", default=False, help="treat the server's warnings as errors"),
)

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def split(arguments: Sequence[str], flags: Iterable[Flag]) -> tuple[str, list[str]]:
    """The first word that is no flag (nor a flag's value), and the other arguments; ("", all) if there is none."""
    by_name, by_short = _tables(flags)
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word == "--":
            break
        if word.startswith("--"):
            flag = by_name.get(word[2:])
            index += 1 if "=" in word or (flag is not None and _stands_alone(flag)) else 2
        elif word.startswith("-") and len(word) > 1:
            short = by_short.get(word[1])
            alone = len(word) > 2 or (short is not None and _stands_alone(short))
            index += 1 if alone else 2
        else:
            return word, [*arguments[:index], *arguments[index + 1 :]]
    return "", list(arguments)


def _tables(flags: Iterable[Flag]) -> tuple[dict[str, Flag], dict[str, Flag]]:
    all_flags = [HELP, *GLOBAL, *flags]
    return {f.name: f for f in all_flags}, {f.short: f for f in all_flags if f.short}


def _stands_alone(flag: Flag) -> bool:
    return flag.kind == "bool" or flag.default_no_value is not None


def parse(command: str, flags: Iterable[Flag], arguments: Sequence[str]) -> Parsed:
    """`command` is the verb's path, for messages. Raises FlagError."""
    return _Parser(command, flags).run(list(arguments))


class _Parser:
    def __init__(self, command: str, flags: Iterable[Flag]) -> None:
        self.command = command
        self.by_name, self.by_short = _tables(flags)
        self.values: dict[str, Any] = {
            f.name: ([] if f.kind in ("strings", "array") and f.default is None else _default(f))
            for f in self.by_name.values()
        }
        self.given: set[str] = set()
        self.rest: list[str] = []

    def run(self, arguments: list[str]) -> Parsed:
        args: list[str] = []
        after: list[str] | None = None
        self.rest = arguments
        while self.rest:
            word = self.rest.pop(0)
            if word == "--":
                after = self.rest
                break
            if word.startswith("--"):
                self._long(word[2:])
            elif word.startswith("-") and len(word) > 1:
                self._shorts(word[1:])
            else:
                args.append(word)
        return Parsed(args, after, self.values, frozenset(self.given))

    def _fail(self, message: str) -> FlagError:
        return FlagError(self.command, message)

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        if not name or name.startswith("-"):
            raise self._fail(f"bad flag syntax: --{text}")
        flag = self.by_name.get(name)
        if flag is None:
            raise self._fail(f"unknown flag: --{name}")
        if equals:
            self._set(flag, value)
        elif _stands_alone(flag):
            self._set(flag, "true" if flag.default_no_value is None else flag.default_no_value)
        elif self.rest:
            self._set(flag, self.rest.pop(0))
        else:
            raise self._fail(f"flag needs an argument: --{name}")

    def _shorts(self, text: str) -> None:
        whole = text
        while text:
            letter, text = text[0], text[1:]
            flag = self.by_short.get(letter)
            if flag is None:
                raise self._fail(f"unknown shorthand flag: {_quoted(letter)} in -{whole}")
            if text.startswith("="):
                return self._set(flag, text[1:])
            if _stands_alone(flag):
                self._set(flag, "true" if flag.default_no_value is None else flag.default_no_value)
                continue
            if text:
                return self._set(flag, text)
            if self.rest:
                return self._set(flag, self.rest.pop(0))
            raise self._fail(f"flag needs an argument: {_quoted(letter)} in -{whole}")
        return None

    def _set(self, flag: Flag, text: str) -> None:
        try:
            value = _convert(flag.kind, text)
        except ValueError as error:
            shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
            raise self._fail(f'invalid argument "{text}" for "{shown}" flag: {error}') from None
        if flag.kind in ("strings", "array"):
            value = value if flag.name not in self.given else [*self.values[flag.name], *value]
        self.values[flag.name] = value
        self.given.add(flag.name)


def _quoted(letter: str) -> str:
    return f"'{letter}'"


def _default(flag: Flag) -> Any:
    if flag.default is not None or flag.kind == "strings":
        return flag.default
    return {"bool": False, "int": 0, "duration": 0.0, "string": ""}.get(flag.kind)


def _convert(kind: str, text: str) -> Any:
    if kind == "bool":
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    if kind == "int":
        if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)", text):
            return int(text, 0 if "x" in text.lower() else 10)
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if kind == "duration":
        return duration(text)
    if kind == "strings":
        return next(csv.reader([text])) if text else []
    return [text] if kind == "array" else text


def duration(text: str) -> float:
    """Seconds of a Go duration (`1m30s`). Raises ValueError in Go's words."""
    sign, body = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if body == "0":
        return 0.0
    if not body or not re.search(r"\d", body):
        raise ValueError(f'time: invalid duration "{text}"')
    at, total = 0, 0.0
    while at < len(body):
        match = _DURATION.match(body, at)
        if match is None:
            if re.fullmatch(r"(\d+\.?\d*|\.\d+)", body[at:]):
                raise ValueError(f'time: missing unit in duration "{text}"')
            unit = re.match(r"(?:\d+\.?\d*|\.\d+)([^\d.]+)", body[at:])
            if unit is not None:
                raise ValueError(f'time: unknown unit "{unit.group(1)}" in duration "{text}"')
            raise ValueError(f'time: invalid duration "{text}"')
        total += float(match.group(1)) * _UNITS[match.group(2)]
        at = match.end()
    return sign * total


def require(parsed: Parsed, *names: str) -> None:
    """Raise as cobra does for required flags that were not given."""
    missing = [f'"{name}"' for name in names if name not in parsed.given]
    if missing:
        raise CommandError(f"required flag(s) {', '.join(missing)} not set")
