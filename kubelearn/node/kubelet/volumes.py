"""A pod's volumes: emptyDir, and everything whose content comes from the API.

Supported: emptyDir, configMap, secret, downwardAPI and projected (with service-account tokens), and the places on the
node's disk of `places`. Anything else is refused, and the pod waits with a FailedMount event that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from kubelearn.api import quantity
from kubelearn.api.cri import Mount, VolumeFile
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet import env
from kubelearn.node.kubelet.places import KINDS, MountError, Place

#: (audience, seconds) → a token for the pod's service account.
TokenSource = Callable[[str, int], Awaitable[str]]
Files = dict[str, VolumeFile]
_MODE = 0o644


class Volumes:
    """One pod's: what is in them now, by the API."""

    def __init__(
        self, pod: Obj, lookup: env.Lookup, token: TokenSource, allocatable: Mapping[str, str] | None = None
    ) -> None:
        self._pod = pod
        self._allocatable = allocatable or {}
        self._lookup = lookup
        self._token = token

    async def content(self) -> dict[str, Files | None]:
        """Each volume's files, None for an emptyDir. Raises MountError with the kubelet's words."""
        found: dict[str, Files | None] = {}
        for volume in self._pod["spec"].get("volumes") or ():
            if any(kind in volume for kind in KINDS) or in_memory(volume):
                continue
            try:
                found[volume["name"]] = await self._files(volume)
            except (MountError, env.ConfigError) as error:
                raise MountError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error
        return found

    async def _files(self, volume: Obj) -> Files | None:
        kind = next(k for k in volume if k != "name")
        source = volume[kind] or {}
        if kind == "emptyDir":
            if source.get("medium"):
                raise MountError(f'unknown storage medium "{source["medium"]}"')
            return None
        if kind == "projected":
            return await self._projected(source)
        if kind in ("configMap", "secret", "downwardAPI"):
            return await self._source(kind, source, source.get("defaultMode", _MODE))
        raise MountError(f"volumes of type {kind} are not supported by this kubelet")

    async def _source(self, kind: str, source: Obj, mode: int) -> Files:
        if kind == "downwardAPI":
            return self._downward(source, mode)
        name = source.get("secretName") or source.get("name", "")
        return await self._keys(kind.lower(), name, source, mode)

    async def _keys(self, kind: str, name: str, source: Obj, mode: int) -> Files:
        data = await self._lookup(kind, name)
        if data is None:
            if source.get("optional"):
                return {}
            raise MountError(f'{kind} "{name}" not found')
        return _pick(data, source, kind, mode)

    def _downward(self, source: Obj, mode: int) -> Files:
        facts, out = env.field_values(self._pod, "", ""), {}
        for item in source.get("items") or ():
            if field := item.get("fieldRef"):
                text = env.field_value(field["fieldPath"], facts, self._pod)
            else:
                text = env.resource_value(item["resourceFieldRef"], self._pod, {"name": ""}, self._allocatable)
            out[item["path"]] = VolumeFile(text.encode(), item.get("mode") or mode)
        return out

    async def _projected(self, source: Obj) -> Files:
        out: Files = {}
        mode = source.get("defaultMode", _MODE)
        for part in source.get("sources") or ():
            kind = next(iter(part))
            if kind == "serviceAccountToken":
                wanted = part[kind]
                token = await self._token(wanted.get("audience", ""), wanted.get("expirationSeconds", 3600))
                out[wanted["path"]] = VolumeFile(token.encode(), mode)
            elif kind in ("configMap", "secret", "downwardAPI"):
                out |= await self._source(kind, part[kind], mode)
            else:
                raise MountError(f"projected sources of type {kind} are not supported by this kubelet")
        return out


def in_memory(volume: Obj) -> bool:
    return bool((volume.get("emptyDir") or {}).get("medium") == "Memory")


def memory_volumes(pod: Obj) -> dict[str, int]:
    """Sizes in bytes, 0 for no limit."""
    found = [v for v in pod["spec"].get("volumes") or () if in_memory(v)]
    return {v["name"]: int(quantity.parse(str(v["emptyDir"].get("sizeLimit") or "0"))) for v in found}


def mounts(pod: Obj, container: Obj, variables: Mapping[str, str], places: Mapping[str, Place]) -> list[Mount]:
    """Raises env.ConfigError for a volume that the pod does not have or a path that leads out of it."""
    known = {v["name"] for v in pod["spec"].get("volumes") or ()}
    out = []
    for mount in container.get("volumeMounts") or ():
        if mount["name"] not in known:
            raise env.ConfigError(f'volume "{mount["name"]}" is not in the pod')
        path = env.expand(mount.get("subPathExpr", ""), variables) or mount.get("subPath", "")
        if path.startswith("/") or ".." in path.split("/"):
            raise env.ConfigError(f"subPath {path} must be a path in its volume")
        path, read_only = path.strip("/"), bool(mount.get("readOnly"))
        if place := places.get(mount["name"]):
            path, read_only = f"{place.path.strip('/')}/{path}".strip("/"), read_only or place.read_only
        out.append(Mount(mount["name"], mount["mountPath"], read_only, path, place is not None))
    return out


def _pick(data: Mapping[str, bytes], source: Obj, kind: str, mode: int) -> Files:
    """All keys, or those of `items` under their paths."""
    items = source.get("items")
    if not items:
        return {key: VolumeFile(value, mode) for key, value in data.items()}
    missing = [i["key"] for i in items if i["key"] not in data]
    if missing and not source.get("optional"):
        shown = "configmap" if kind == "configmap" else "secret"
        raise MountError(
            f"{shown} references non-existent {'config ' if kind == 'configmap' else 'secret '}key: {missing[0]}"
        )
    return {i["path"]: VolumeFile(data[i["key"]], i.get("mode") or mode) for i in items if i["key"] in data}
