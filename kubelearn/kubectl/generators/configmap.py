"""`create configmap`."""

from __future__ import annotations

import base64
from typing import Any

from kubelearn.kubectl import creating
from kubelearn.kubectl.generators import _files
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create configmap")
    obj: dict[str, Any] = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}}
    for key, value in _files.collect(ctx, parsed, "ConfigMap").items():
        try:
            obj.setdefault("data", {})[key] = value.decode()
        except UnicodeDecodeError:
            obj.setdefault("binaryData", {})[key] = base64.b64encode(value).decode()
    await creating.make(ctx, parsed, _files.hashed(obj, parsed), what="configmap:")
    return 0


VERB = Verb(
    name="configmap",
    summary="Create a config map from a local file, directory or literal value",
    usage="create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [flags]",
    examples="# Two settings\nkubectl create configmap web --from-literal=COLOR=blue --from-literal=GREETING=hello",
    flags=(*creating.flags(), *_files.FLAGS),
    run=run,
    aliases=("cm",),
)
