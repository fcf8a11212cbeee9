"""`create secret generic|tls|docker-registry`."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.generators import _files
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


def _secret(name: str, data: dict[str, bytes], kind: str) -> dict[str, Any]:
    obj: dict[str, Any] = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}}
    if data:
        obj["data"] = {key: base64.b64encode(value).decode() for key, value in data.items()}
    if kind:
        obj["type"] = kind
    return obj


async def _generic(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create secret generic")
    data = _files.collect(ctx, parsed, "Secret")
    obj = _files.hashed(_secret(name, data, parsed["type"]), parsed)
    await creating.make(ctx, parsed, obj, what="secret")
    return 0


async def _tls(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create secret tls")
    if not parsed["cert"] or not parsed["key"]:
        raise CommandError("key and cert must be specified")
    data = {}
    for key, flag in (("tls.crt", "cert"), ("tls.key", "key")):
        try:
            data[key] = (Path(ctx.cwd) / parsed[flag]).read_bytes()
        except OSError as error:
            raise CommandError(
                f"Cannot read file {parsed[flag]}, open {parsed[flag]}: {(error.strerror or str(error)).lower()}"
            ) from error
    _check_pair(data["tls.crt"])
    obj = _files.hashed(_secret(name, data, "kubernetes.io/tls"), parsed)
    await creating.make(ctx, parsed, obj, what="secret")
    return 0


def _check_pair(cert: bytes) -> None:
    if b"-----BEGIN CERTIFICATE-----" not in cert:
        raise CommandError("tls: failed to find any PEM data in certificate input")


async def _docker(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create secret docker-registry")
    if parsed["from-file"]:
        data = _files.collect(ctx, parsed, "Secret")
    else:
        if not all(parsed[f"docker-{flag}"] for flag in ("username", "password", "server")):
            raise CommandError(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server "
                "is required"
            )
        user, password = parsed["docker-username"], parsed["docker-password"]
        entry = {"username": user, "password": password}
        if parsed["docker-email"]:
            entry["email"] = parsed["docker-email"]
        entry["auth"] = base64.b64encode(f"{user}:{password}".encode()).decode()
        config = {"auths": {parsed["docker-server"]: entry}}
        data = {".dockerconfigjson": json.dumps(config, separators=(",", ":")).encode()}
    obj = _files.hashed(_secret(name, data, "kubernetes.io/dockerconfigjson"), parsed)
    await creating.make(ctx, parsed, obj, what="secret")
    return 0


_CHILDREN = (
    Verb(
        "generic",
        "Create a secret from a local file, directory, or literal value",
        "create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] "
        "[--dry-run=server|client|none]",
        "# A password\nkubectl create secret generic db --from-literal=password=s3cret",
        (*creating.flags(), *_files.FLAGS, Flag("type", help="the type of the secret")),
        _generic,
    ),
    Verb(
        "tls",
        "Create a TLS secret",
        "create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
        "# From a pair of files\nkubectl create secret tls site --cert=site.crt --key=site.key",
        (
            *creating.flags(),
            _files.APPEND_HASH,
            Flag("cert", help="file with the PEM certificate", complete="files"),
            Flag("key", help="file with its private key", complete="files"),
        ),
        _tls,
    ),
    Verb(
        "docker-registry",
        "Create a secret for use with a Docker registry",
        "create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email "
        "[--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
        "# For a private registry\nkubectl create secret docker-registry reg --docker-username=me --docker-password=pw",
        (
            *creating.flags(),
            *_files.FLAGS,
            Flag("docker-server", default="https://index.docker.io/v1/", help="address of the registry"),
            Flag("docker-username", help="name at the registry"),
            Flag("docker-password", help="password at the registry"),
            Flag("docker-email", help="mail address at the registry"),
        ),
        _docker,
    ),
)

VERB = Verb(
    name="secret",
    summary="Create a secret with specified type",
    about="""
 A docker-registry type secret is for accessing a container registry.

 A generic type secret indicate an Opaque secret type.

 A tls type secret holds TLS certificate and its associated key.
""",
    usage="create secret (docker-registry | generic | tls)",
    children=_CHILDREN,
)
