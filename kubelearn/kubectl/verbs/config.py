"""`config`: what the kubeconfig holds, and which context and namespace are used. Needs no server."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from kubelearn.kubectl import config_edits, kubeconfigs
from kubelearn.kubectl.failures import CommandError, UsageError, raise_all
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_SECRET = ("client-certificate-data", "client-key-data", "certificate-authority-data")
_HIDDEN = ("token", "password")


async def _view(ctx: Context, parsed: Parsed) -> int:
    found = copy.deepcopy(kubeconfigs.read(ctx))
    current = parsed["context"] or found.get("current-context") or ""
    if parsed["minify"]:
        found = _minified(found, current)
    if not parsed["raw"]:
        _hide(found)
    if parsed["flatten"]:
        _flatten(found)
    shown = {
        "kind": "Config",
        "apiVersion": "v1",
        **{part: _by_name(found.get(part)) for part in ("clusters", "users", "contexts")},
        "current-context": found.get("current-context", ""),
        **({"preferences": found["preferences"]} if found.get("preferences") else {}),
    }
    choose.printer(parsed["output"] or "yaml", parsed["template"], cwd=ctx.cwd)(shown, ctx.out)
    return 0


def _by_name(entries: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    return sorted(entries, key=lambda entry: str(entry["name"])) if entries else None


def _minified(found: dict[str, Any], current: str) -> dict[str, Any]:
    contexts = [c for c in found["contexts"] if c["name"] == current]
    if not current:
        raise CommandError("current-context must exist in order to minify")
    if not contexts:
        raise CommandError(f"cannot locate context {current}")
    context = contexts[0]["context"]
    return {
        **found,
        "current-context": current,
        "contexts": contexts,
        "clusters": [c for c in found["clusters"] if c["name"] == context.get("cluster")],
        "users": [u for u in found["users"] if u["name"] == context.get("user")],
    }


def _hide(found: dict[str, Any]) -> None:
    for part, body in (("clusters", "cluster"), ("users", "user")):
        for entry in found.get(part) or []:
            for name in entry[body]:
                if name in _SECRET:
                    entry[body][name] = "DATA+OMITTED"
                elif name in _HIDDEN:
                    entry[body][name] = "REDACTED"


def _flatten(found: dict[str, Any]) -> None:
    import base64

    for part, body in (("clusters", "cluster"), ("users", "user")):
        for entry in found.get(part) or []:
            for name in ("certificate-authority", "client-certificate", "client-key"):
                if path := entry[body].pop(name, None):
                    entry[body][f"{name}-data"] = base64.b64encode(Path(path).read_bytes()).decode()


async def _current(ctx: Context, _parsed: Parsed) -> int:
    current = kubeconfigs.read(ctx).get("current-context")
    if not current:
        raise CommandError("current-context is not set")
    ctx.out(f"{current}\n")
    return 0


async def _contexts(ctx: Context, parsed: Parsed) -> int:
    found = kubeconfigs.read(ctx)
    known = {c["name"]: c["context"] for c in found["contexts"]}
    names = parsed.args or sorted(known)
    errors: list[Exception] = [CommandError(f"context {n} not found") for n in names if n not in known]
    if parsed["output"] not in ("", "name"):
        raise CommandError(f"output must be one of '' or 'name': {parsed['output']}")
    if parsed["output"] == "name":
        ctx.out("".join(f"{n}\n" for n in names if n in known))
    else:
        writer = TabWriter(remember=True)
        if not parsed["no-headers"]:
            writer.write("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n")
        for name in names:
            if name in known:
                c = known[name]
                mark = "*" if name == found.get("current-context") else ""
                cells = [mark, name, c.get("cluster", ""), c.get("user", ""), c.get("namespace", "")]
                writer.write("\t".join(cells) + "\n")
        ctx.out(writer.take())
    raise_all(errors)
    return 0


def _names(part: str) -> Callable[[Context, Parsed], Awaitable[int]]:
    async def run(ctx: Context, _parsed: Parsed) -> int:
        ctx.out("NAME\n" + "".join(sorted(f"{entry['name']}\n" for entry in kubeconfigs.read(ctx)[part])))
        return 0

    return run


async def _use(ctx: Context, parsed: Parsed) -> int:
    if len(parsed.args) != 1:
        raise UsageError("config use-context", f"Unexpected args: [{' '.join(parsed.args)}]")
    name = parsed.args[0]
    if name not in [c["name"] for c in kubeconfigs.read(ctx)["contexts"]]:
        raise CommandError(f'no context exists with the name: "{name}"')
    kubeconfigs.change(ctx, lambda document: document.update({"current-context": name}))
    ctx.out(f'Switched to context "{name}".\n')
    return 0


async def _set_context(ctx: Context, parsed: Parsed) -> int:
    current = kubeconfigs.read(ctx).get("current-context", "")
    if parsed["current"]:
        if parsed.args:
            raise CommandError("you cannot specify both a context name and --current")
        if not current:
            raise CommandError("no current context is set")
        name = current
    elif len(parsed.args) == 1:
        name = parsed.args[0]
    else:
        raise UsageError("config set-context", f"Unexpected args: [{' '.join(parsed.args)}]")
    existed = name in [c["name"] for c in kubeconfigs.read(ctx)["contexts"]]

    def work(document: dict[str, Any]) -> None:
        entry = next((c for c in document["contexts"] if c["name"] == name), None)
        if entry is None:
            entry = {"name": name, "context": {"cluster": "", "user": ""}}
            document["contexts"].append(entry)
        for flag in ("cluster", "user", "namespace"):
            if flag in parsed.given:
                entry["context"][flag] = parsed[flag]

    kubeconfigs.change(ctx, work)
    if name == current and "namespace" in parsed.given:
        ctx.cache["namespace"] = parsed["namespace"] or "default"
    ctx.out(f'Context "{name}" {"modified" if existed else "created"}.\n')
    return 0


VERB = Verb(
    name="config",
    summary="Modify kubeconfig files",
    usage="config SUBCOMMAND",
    examples="# Work in another namespace from now on\nkubectl config set-context --current --namespace=team-a",
    children=(
        *config_edits.VERBS,
        Verb(
            "current-context",
            "Display the current-context",
            "config current-context",
            "# Which one\nkubectl config current-context",
            (),
            _current,
        ),
        Verb(
            "get-clusters",
            "Display clusters defined in the kubeconfig",
            "config get-clusters",
            "# All\nkubectl config get-clusters",
            (),
            _names("clusters"),
        ),
        Verb(
            "get-contexts",
            "Describe one or many contexts",
            "config get-contexts [(-o|--output=)name)]",
            "# All\nkubectl config get-contexts",
            (
                Flag("output", "o", help="name: names only", complete="outputs"),
                Flag("no-headers", kind="bool", help="no line of headers"),
            ),
            _contexts,
        ),
        Verb(
            "get-users",
            "Display users defined in the kubeconfig",
            "config get-users",
            "# All\nkubectl config get-users",
            (),
            _names("users"),
        ),
        Verb(
            "set-context",
            "Set a context entry in kubeconfig",
            "config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] "
            "[--namespace=namespace]",
            "# Another namespace\nkubectl config set-context --current --namespace=team-a",
            (Flag("current", kind="bool", help="change the current context"),),
            _set_context,
        ),
        Verb(
            "use-context",
            "Set the current-context in a kubeconfig file",
            "config use-context CONTEXT_NAME",
            "# Another cluster\nkubectl config use-context other",
            (),
            _use,
            complete="context",
            aliases=("use",),
        ),
        Verb(
            "view",
            "Display merged kubeconfig settings or a specified kubeconfig file",
            "config view [flags]",
            "# Without secrets\nkubectl config view",
            (
                Flag("output", "o", default="yaml", help="yaml or json", complete="outputs"),
                Flag("template", help="template for -o jsonpath and the like"),
                Flag("raw", kind="bool", help="with secrets"),
                Flag("minify", kind="bool", help="only what the current context uses"),
                Flag("flatten", kind="bool", help="put files into the document"),
                Flag("merge", kind="bool", default=True, help="accepted: files of KUBECONFIG are merged"),
                Flag("show-managed-fields", kind="bool", help="accepted: there are none"),
            ),
            _view,
        ),
    ),
)
