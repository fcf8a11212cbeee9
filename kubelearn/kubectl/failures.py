"""How a command ends badly: the exceptions of this package, and the text kubectl gives every failure.

Source of the wording: kubectl's pkg/cmd/util/helpers.go (`CheckErr`). Called once, by `run`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubelearn.api.errors import ApiError
from kubelearn.client.transport import TransportError
from kubelearn.kit.errors import KubelearnError


class CommandError(Exception):
    """A failure in kubectl's own words, printed as `error: message`."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class UsageError(CommandError):
    """Wrong arguments: also says where the help of `command` (`get`, `rollout status`) is."""

    def __init__(self, command: str, message: str) -> None:
        super().__init__(f"{message}\nSee 'kubectl {command} -h' for help and examples")


class FlagError(CommandError):
    """A flag that does not parse; kubectl points at `--help` here, at `-h` elsewhere."""

    def __init__(self, command: str, message: str) -> None:
        at = f"kubectl {command}".rstrip()
        super().__init__(f"{message}\nSee '{at} --help' for usage.")


class PlainError(CommandError):
    """Printed as it is, without the word error before it."""


class Several(Exception):
    """More than one failure; all of them are shown."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__(f"{len(errors)} failures")
        self.errors = list(errors)


class Exit(Exception):
    """End with this status; everything worth saying has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def raise_all(errors: Sequence[Exception]) -> None:
    """Raise what has been collected, if anything."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)


def message_of(error: Exception) -> str:
    """The failure as part of another text, without `error: ` before it."""
    if isinstance(error, ApiError):
        return _from_server(error)
    if isinstance(error, TransportError):
        return _unreachable(error)
    if isinstance(error, CommandError | KubelearnError):
        return error.message
    return str(error)


def report(error: Exception) -> tuple[str, int]:
    """What goes to standard error, and the exit status."""
    if isinstance(error, Exit):
        return "", error.code
    if isinstance(error, Several):
        return "".join(message_of(one).rstrip("\n") + "\n" for one in error.errors), 1
    if isinstance(error, ApiError) and error.reason == "Invalid":
        return _line(_invalid(error)), 1
    if isinstance(error, ApiError | TransportError | PlainError):
        return _line(message_of(error)), 1
    text = message_of(error)
    code = error.exit_code if isinstance(error, CommandError | KubelearnError) else 1
    hint = f"\n{error.hint}" if isinstance(error, KubelearnError) and error.hint else ""
    return _line((text if text.startswith("error: ") else f"error: {text}") + hint), code


def _line(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _from_server(error: ApiError) -> str:
    if error.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({error.message})"
    return (
        f"Error from server ({error.reason}): {error.message}"
        if error.reason
        else f"Error from server: {error.message}"
    )


def _invalid(error: ApiError) -> str:
    details = error.details or {}
    causes = details.get("causes") or []
    text = "The request is invalid"
    if details.get("kind") or details.get("name"):
        text = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    elif error.message and not causes:
        text += f": {error.message}"
    if not causes:
        return text
    lines = list(dict.fromkeys(f"{c.get('field', '')}: {c.get('message', '')}" for c in causes))
    return (f"{text}: {lines[0]}" if len(lines) == 1 else "\n* ".join([f"{text}: ", *lines])) + "\n"


def _unreachable(error: TransportError) -> str:
    text = str(error)
    server, _, why = text.partition(": ") if "://" in text else ("", "", text)
    if "refused" in why.lower() or "Connect call failed" in why:
        host = server.partition("://")[2] or server
        return f"The connection to the server {host} was refused - did you specify the right host or port?"
    return f"Unable to connect to the server: {why}"
