"""Read a kubeconfig: which server, which credentials, which namespace.

As kubectl: an explicit path, else the files in KUBECONFIG (merged, the first one wins), else ~/.kube/config.
Credential plugins (`exec`) are run when a token is first needed and again when it has expired.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelearn.client.http import HttpTransport
from kubelearn.kit.errors import KubelearnError

_HINT = "check the file with: kubelearn kubectl config view, or start a cluster with: kubelearn up"


@dataclass(frozen=True, slots=True)
class Config:
    """One context, ready to connect with. `ca`, `cert` and `key` are PEM; empty means: none."""

    server: str
    ca: bytes = b""
    cert: bytes = b""
    key: bytes = b""
    token: str = ""
    namespace: str = "default"
    context: str = ""
    cluster: str = ""
    user: str = ""
    insecure: bool = False
    server_name: str = ""
    exec: Mapping[str, Any] | None = None


def paths() -> list[Path]:
    """Where kubeconfig files are looked for without an explicit path."""
    value = os.environ.get("KUBECONFIG", "")
    if value:
        return [Path(p).expanduser() for p in value.split(os.pathsep) if p]
    return [Path.home() / ".kube" / "config"]


def read(path: Path | None = None) -> dict[str, Any]:
    """The merged document, with relative file names made absolute. Raises KubelearnError."""
    if path is not None:
        return _read_one(path)
    merged: dict[str, Any] = {"clusters": [], "users": [], "contexts": [], "current-context": ""}
    found = [p for p in paths() if p.exists()]
    for one in found:
        document = _read_one(one)
        merged["current-context"] = merged["current-context"] or document.get("current-context", "")
        for part in ("clusters", "users", "contexts"):
            known = {entry["name"] for entry in merged[part]}
            merged[part] += [entry for entry in document[part] if entry["name"] not in known]
    if not found:
        where = ", ".join(map(str, paths()))
        raise KubelearnError(f"no kubeconfig: {where} does not exist", _HINT)
    return merged


def _read_one(path: Path) -> dict[str, Any]:
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_bytes(), loader)
    except OSError as error:
        raise KubelearnError(f"cannot read kubeconfig {path}: {error.strerror}", _HINT) from error
    except yaml.YAMLError as error:
        raise KubelearnError(f"kubeconfig {path} is not YAML: {error}", _HINT) from error
    if not isinstance(document, dict):
        raise KubelearnError(f"kubeconfig {path} is empty or not a mapping", _HINT)
    for part, body in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        entries = document.get(part) or []
        if not isinstance(entries, list) or any(
            not isinstance(entry, dict) or "name" not in entry for entry in entries
        ):
            raise KubelearnError(f"kubeconfig {path}: {part} must be a list of named entries", _HINT)
        document[part] = [{**entry, body: _absolute(entry.get(body) or {}, path.parent)} for entry in entries]
    return document


def _absolute(body: dict[str, Any], folder: Path) -> dict[str, Any]:
    names = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
    return {**body, **{name: str(folder / body[name]) for name in names if body.get(name)}}


def load(path: Path | None = None, context: str = "", *, cluster: str = "", user: str = "") -> Config:
    """The configuration of `context`, or of the current one, with another `cluster` or `user` of the file if named.
    Raises KubelearnError."""
    document = read(path)
    wanted = context or document.get("current-context") or ""
    if not wanted:
        raise KubelearnError("the kubeconfig has no current context", "choose one with: --context NAME")
    chosen = _named(document, "contexts", "context", wanted)
    cluster_name, user_name = cluster or chosen.get("cluster", ""), user or chosen.get("user", "")
    to = _named(document, "clusters", "cluster", cluster_name)
    who = _named(document, "users", "user", user_name) if user_name else {}
    if not to.get("server"):
        raise KubelearnError(f'cluster "{cluster_name}" in the kubeconfig has no server', _HINT)
    return Config(
        server=to["server"],
        ca=_pem(to, "certificate-authority"),
        cert=_pem(who, "client-certificate"),
        key=_pem(who, "client-key"),
        token=_token(who),
        namespace=chosen.get("namespace") or "default",
        context=wanted,
        cluster=cluster_name,
        user=user_name,
        insecure=bool(to.get("insecure-skip-tls-verify")),
        server_name=to.get("tls-server-name", ""),
        exec=who.get("exec"),
    )


def _named(document: Mapping[str, Any], part: str, body: str, name: str) -> dict[str, Any]:
    for entry in document.get(part) or []:
        if entry["name"] == name:
            found: dict[str, Any] = entry[body]
            return found
    if body == "context":
        raise KubelearnError(f'context "{name}" does not exist', "list them with: kubectl config get-contexts")
    raise KubelearnError(f'{body} "{name}" does not exist in the kubeconfig', _HINT)


def _pem(body: Mapping[str, Any], name: str) -> bytes:
    """Inline data wins over a file, as in kubectl."""
    if inline := body.get(f"{name}-data"):
        try:
            return base64.b64decode(inline, validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise KubelearnError(f"kubeconfig: {name}-data is not base64", _HINT) from error
    return _file(body[name], name) if body.get(name) else b""


def _file(path: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise KubelearnError(f"kubeconfig: cannot read {what} {path}: {error.strerror}", _HINT) from error


def _token(user: Mapping[str, Any]) -> str:
    if user.get("token"):
        return str(user["token"])
    return _file(user["tokenFile"], "tokenFile").decode().strip() if user.get("tokenFile") else ""


def ssl_context(config: Config) -> ssl.SSLContext:
    """TLS as the configuration says. Raises KubelearnError on certificates that cannot be used."""
    try:
        context = ssl.create_default_context(cadata=config.ca.decode() if config.ca else None)
        if config.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if config.cert:
            _load_pair(context, config.cert, config.key)
    except (ssl.SSLError, ValueError) as error:
        raise KubelearnError(f"kubeconfig: certificates cannot be used: {error}", _HINT) from error
    return context


def _load_pair(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """ssl reads certificates from files only: the pair is in one, readable by us alone, for a moment."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(cert.rstrip() + b"\n" + key)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def transport(config: Config) -> HttpTransport:
    """Connect with `config`; nothing is sent before the first request."""
    token: Any = config.token
    if config.exec is not None and not token:
        from kubelearn.client._exec_plugin import ExecPlugin

        token = ExecPlugin(config.exec)
    context = ssl_context(config) if config.server.startswith("https://") else None
    try:
        return HttpTransport(config.server, context, token, server_name=config.server_name)
    except ValueError as error:
        raise KubelearnError(f"kubeconfig: {error}", _HINT) from error
