"""A pod's volumes as mounts for the runtime: emptyDir by name, everything that comes from the API as files.

Supported: emptyDir, configMap, secret, downwardAPI and projected (with service-account tokens). Anything else is
refused, and the pod waits with a FailedMount event that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from kubelearn.api.cri import Mount
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet import env

#: (audience, seconds) → a token for the pod's service account.
TokenSource = Callable[[str, int], Awaitable[str]]
Files = dict[str, bytes]


class MountError(Exception):
    """The volume cannot be set up (yet)."""


class Volumes:
    """One pod's volumes: set up once, then mounted into each of its containers."""

    def __init__(self, pod: Obj, lookup: env.Lookup, token: TokenSource, host_ip: str) -> None:
        self._pod = pod
        self._lookup = lookup
        self._token = token
        self._host_ip = host_ip
        self._files: dict[str, Files | None] = {}

    async def set_up(self, pod_ip: str) -> None:
        """Raises MountError with the kubelet's words."""
        self._facts = env.field_values(self._pod, pod_ip, self._host_ip)
        for volume in self._pod["spec"].get("volumes") or ():
            try:
                self._files[volume["name"]] = await self._content(volume)
            except (MountError, env.ConfigError) as error:
                raise MountError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error

    async def _content(self, volume: Obj) -> Files | None:
        """None for an emptyDir."""
        kind = next(k for k in volume if k != "name")
        source = volume[kind] or {}
        if kind == "emptyDir":
            return None
        if kind == "configMap":
            return await self._keys("configmap", source.get("name", ""), source)
        if kind == "secret":
            return await self._keys("secret", source.get("secretName", ""), source)
        if kind == "downwardAPI":
            return self._downward(source)
        if kind == "projected":
            return await self._projected(source)
        raise MountError(f"volumes of type {kind} are not supported by this kubelet")

    async def _keys(self, kind: str, name: str, source: Obj) -> Files:
        data = await self._lookup(kind, name)
        if data is None:
            if source.get("optional"):
                return {}
            raise MountError(f'{kind} "{name}" not found')
        return _pick(data, source, kind)

    def _downward(self, source: Obj) -> Files:
        out = {}
        for item in source.get("items") or ():
            if field := item.get("fieldRef"):
                text = env.field_value(field["fieldPath"], self._facts, self._pod)
            else:
                text = env.resource_value(item["resourceFieldRef"], self._pod, {"name": ""})
            out[item["path"]] = text.encode()
        return out

    async def _projected(self, source: Obj) -> Files:
        out: Files = {}
        for part in source.get("sources") or ():
            kind = next(iter(part))
            if kind == "serviceAccountToken":
                wanted = part[kind]
                token = await self._token(wanted.get("audience", ""), wanted.get("expirationSeconds", 3600))
                out[wanted["path"]] = token.encode()
            elif kind == "downwardAPI":
                out |= self._downward(part[kind])
            elif kind in ("configMap", "secret"):
                out |= await self._keys(kind.lower(), part[kind].get("name", ""), part[kind])
            else:
                raise MountError(f"projected sources of type {kind} are not supported by this kubelet")
        return out

    def mounts(self, container: Obj) -> list[Mount]:
        """Raises env.ConfigError for what cannot be mounted."""
        return [self._mount(m) for m in container.get("volumeMounts") or ()]

    def _mount(self, mount: Obj) -> Mount:
        name, path, read_only = mount["name"], mount["mountPath"], bool(mount.get("readOnly"))
        if mount.get("subPath") or mount.get("subPathExpr"):
            raise env.ConfigError(f'volume "{name}": subPath is not supported by this kubelet')
        if name not in self._files:
            raise env.ConfigError(f'volume "{name}" is not in the pod')
        content = self._files[name]
        if content is None:
            return Mount("emptyDir", name, path, read_only)
        return Mount("files", name, path, read_only, {k: v.decode("latin-1") for k, v in content.items()})


def _pick(data: Mapping[str, bytes], source: Obj, kind: str) -> Files:
    """All keys, or those of `items` under their paths."""
    items = source.get("items")
    if not items:
        return dict(data)
    missing = [i["key"] for i in items if i["key"] not in data]
    if missing and not source.get("optional"):
        shown = "configmap" if kind == "configmap" else "secret"
        raise MountError(
            f"{shown} references non-existent {'config ' if kind == 'configmap' else 'secret '}key: {missing[0]}"
        )
    return {i["path"]: data[i["key"]] for i in items if i["key"] in data}
