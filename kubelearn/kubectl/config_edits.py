"""The sub-commands of `config` that write single entries of a kubeconfig: set, unset, delete, rename."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from kubelearn.kubectl import kubeconfigs
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_GONE = 'warning: this removed your active context, use "kubectl config use-context" to select a different one\n'
_BODIES = {"clusters": "cluster", "users": "user", "contexts": "context"}
_FIELDS = {
    "clusters": (
        "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data",
        "proxy-url", "disable-compression",
    ),
    "users": (
        "client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile", "username",
        "password", "as",
    ),
    "contexts": ("cluster", "user", "namespace"),
}  # fmt: skip

_Document = dict[str, Any]


def _words(parsed: Parsed, command: str, count: int) -> list[str]:
    if len(parsed.args) != count:
        raise UsageError(f"config {command}", f"Unexpected args: [{' '.join(parsed.args)}]")
    return parsed.args


def _entry(document: _Document, part: str, name: str) -> _Document | None:
    return next((entry for entry in document[part] if entry["name"] == name), None)


def _made(document: _Document, part: str, name: str) -> _Document:
    """The body of an entry, which is made where there is none."""
    entry = _entry(document, part, name)
    if entry is None:
        entry = {"name": name, _BODIES[part]: {}}
        document[part].append(entry)
    body: _Document = entry[_BODIES[part]]
    return body


def _deleting(word: str) -> Callable[[Context, Parsed], Awaitable[int]]:
    async def run(ctx: Context, parsed: Parsed) -> int:
        (name,), part, path = _words(parsed, f"delete-{word}", 1), f"{word}s", kubeconfigs.file(ctx)
        found = kubeconfigs.read(ctx)
        if _entry(found, part, name) is None:
            raise CommandError(f"cannot delete {word} {name}, not in {path}")
        if word == "context" and found.get("current-context") == name:
            ctx.err(_GONE)

        def work(document: _Document) -> None:
            document[part] = [entry for entry in document[part] if entry["name"] != name]

        kubeconfigs.change(ctx, work)
        ctx.out(f"deleted {word} {name} from {path}\n")
        return 0

    return run


async def _rename(ctx: Context, parsed: Parsed) -> int:
    old, new = _words(parsed, "rename-context", 2)
    found, path = kubeconfigs.read(ctx), kubeconfigs.file(ctx)
    if _entry(found, "contexts", old) is None:
        raise CommandError(f'cannot rename the context "{old}", it\'s not in {path}')
    if _entry(found, "contexts", new) is not None:
        raise CommandError(f'cannot rename the context "{old}", the context "{new}" already exists in {path}')

    def work(document: _Document) -> None:
        for entry in document["contexts"]:
            entry["name"] = new if entry["name"] == old else entry["name"]
        if document.get("current-context") == old:
            document["current-context"] = new

    kubeconfigs.change(ctx, work)
    ctx.out(f'Context "{old}" renamed to "{new}".\n')
    return 0


def _property(found: _Document, path: str) -> tuple[str, str, str]:
    """Part, entry and field of `users.me.token`; an entry's name may have dots. Raises CommandError."""
    if path == "current-context":
        return path, "", ""
    part, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    if part not in _BODIES:
        raise CommandError(f"unable to parse {path} after [] at api.Config")
    if _entry(found, part, rest) is not None:
        name, field = rest, ""
    elif field not in _FIELDS[part]:
        kind = {"clusters": "Cluster", "users": "AuthInfo", "contexts": "Context"}[part]
        raise CommandError(f"unable to parse {field} after [{part} {name}] at api.{kind}")
    return part, name, field


async def _set(ctx: Context, parsed: Parsed) -> int:
    path, value = _words(parsed, "set", 2)
    part, name, field = _property(kubeconfigs.read(ctx), path)
    if name and not field:
        raise CommandError(f"can't set {path}: it is not a single value")
    shown: Any = value
    if field in ("insecure-skip-tls-verify", "disable-compression"):
        if value not in ("true", "false"):
            raise CommandError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
        shown = value == "true"
    elif field.endswith("-data") and parsed["set-raw-bytes"]:
        shown = base64.b64encode(value.encode()).decode()

    def work(document: _Document) -> None:
        if name:
            _made(document, part, name)[field] = shown
        else:
            document[part] = value

    kubeconfigs.change(ctx, work)
    ctx.out(f'Property "{path}" set.\n')
    return 0


async def _unset(ctx: Context, parsed: Parsed) -> int:
    (path,) = _words(parsed, "unset", 1)
    part, name, field = _property(kubeconfigs.read(ctx), path)

    def work(document: _Document) -> None:
        if not name:
            document[part] = ""
        elif not field:
            document[part] = [entry for entry in document[part] if entry["name"] != name]
        elif (entry := _entry(document, part, name)) is not None:
            entry[_BODIES[part]].pop(field, None)

    kubeconfigs.change(ctx, work)
    ctx.out(f'Property "{path}" unset.\n')
    return 0


def _files(ctx: Context, parsed: Parsed, body: _Document, names: tuple[str, ...]) -> None:
    """Certificates and keys by path, or with --embed-certs by content."""
    for name in names:
        if name not in parsed.given:
            continue
        path = Path(ctx.cwd, parsed[name]).expanduser()
        body.pop(f"{name}-data", None)
        body.pop(name, None)
        if not parsed["embed-certs"]:
            body[name] = str(path)
            continue
        try:
            body[f"{name}-data"] = base64.b64encode(path.read_bytes()).decode()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise CommandError(f"could not read {name} data from {parsed[name]}: open {path}: {why}") from error


async def _set_cluster(ctx: Context, parsed: Parsed) -> int:
    (name,) = _words(parsed, "set-cluster", 1)

    def work(document: _Document) -> None:
        body = _made(document, "clusters", name)
        for flag in ("server", "tls-server-name", "proxy-url", "insecure-skip-tls-verify"):
            if flag in parsed.given:
                body[flag] = parsed[flag]
        _files(ctx, parsed, body, ("certificate-authority",))

    kubeconfigs.change(ctx, work)
    ctx.out(f'Cluster "{name}" set.\n')
    return 0


async def _set_credentials(ctx: Context, parsed: Parsed) -> int:
    (name,) = _words(parsed, "set-credentials", 1)
    basic = bool({"username", "password"} & parsed.given)
    if basic and parsed["token"]:
        ways = "--token, --username/--password"
        raise CommandError(f"you cannot specify more than one authentication method at the same time: {ways}")

    def work(document: _Document) -> None:
        body = _made(document, "users", name)
        if parsed["token"]:
            for key in ("username", "password"):
                body.pop(key, None)
        elif basic:
            body.pop("token", None)
        for flag in ("token", "username", "password"):
            if flag in parsed.given:
                body[flag] = parsed[flag]
        _files(ctx, parsed, body, ("client-certificate", "client-key"))

    kubeconfigs.change(ctx, work)
    ctx.out(f'User "{name}" set.\n')
    return 0


_EMBED = Flag("embed-certs", kind="bool", help="put the files' content into the kubeconfig")

VERBS = (
    *(
        Verb(
            f"delete-{word}",
            f"Delete the specified {word} from the kubeconfig",
            f"config delete-{word} NAME",
            f"# Away with it\nkubectl config delete-{word} old",
            (),
            _deleting(word),
            complete="context" if word == "context" else "",
        )
        for word in ("cluster", "context", "user")
    ),
    Verb(
        "rename-context",
        "Rename a context from the kubeconfig file",
        "config rename-context CONTEXT_NAME NEW_NAME",
        "# A shorter name\nkubectl config rename-context kubelearn-default k",
        (),
        _rename,
        complete="context",
    ),
    Verb(
        "set",
        "Set an individual value in a kubeconfig file",
        "config set PROPERTY_NAME PROPERTY_VALUE",
        "# Another address\nkubectl config set clusters.dev.server https://127.0.0.1:6443",
        (Flag("set-raw-bytes", kind="bool", help="the value is not base64 yet (for fields that are)"),),
        _set,
    ),
    Verb(
        "unset",
        "Unset an individual value in a kubeconfig file",
        "config unset PROPERTY_NAME",
        "# No current context\nkubectl config unset current-context",
        (),
        _unset,
    ),
    Verb(
        "set-cluster",
        "Set a cluster entry in kubeconfig",
        "config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority]",
        "# A cluster\nkubectl config set-cluster dev --server=https://127.0.0.1:6443",
        (_EMBED, Flag("proxy-url", help="go through this proxy")),
        _set_cluster,
    ),
    Verb(
        "set-credentials",
        "Set a user entry in kubeconfig",
        "config set-credentials NAME [--client-certificate=path] [--client-key=path] [--token=bearer_token]",
        "# A user with a token\nkubectl config set-credentials me --token=abc",
        (_EMBED, Flag("username", help="name for basic authentication"), Flag("password", help="its password")),
        _set_credentials,
    ),
)
