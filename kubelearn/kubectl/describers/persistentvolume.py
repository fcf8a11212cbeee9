"""Persistent volumes: whose they are, and where their content lies."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _storage as s
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

#: What kubectl says of a volume's kind, and the fields that it shows of it.
_SOURCES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "hostPath": ("HostPath (bare host directory volume)", (("Path", "path"), ("HostPathType", "type"))),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server"), ("Path", "path"), ("ReadOnly", "readOnly")),
    ),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", (("Path", "path"),)),
    "csi": (
        "CSI (a Container Storage Interface (CSI) volume source)",
        (("Driver", "driver"), ("FSType", "fsType"), ("VolumeHandle", "volumeHandle"), ("ReadOnly", "readOnly")),
    ),
}


async def write(out: Writer, volume: Obj, _sources: Sources) -> None:
    spec = volume.get("spec") or {}
    w.head(out, volume, namespaced=False)
    out.field("Finalizers", s.finalizers(volume))
    out.field("StorageClass", s.class_of(volume))
    out.field("Status", s.status_of(volume))
    claim = spec.get("claimRef")
    out.field("Claim", f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "")
    out.field("Reclaim Policy", spec.get("persistentVolumeReclaimPolicy", ""))
    out.field("Access Modes", s.access_modes(spec.get("accessModes")))
    if spec.get("volumeMode"):
        out.field("VolumeMode", spec["volumeMode"])
    out.field("Capacity", (spec.get("capacity") or {}).get("storage", "0"))
    _affinity(out, (spec.get("nodeAffinity") or {}).get("required"))
    out.field("Message", (volume.get("status") or {}).get("message", ""))
    _source(out, spec)


def _affinity(out: Writer, required: Obj | None) -> None:
    if required is None:
        out.line(0, "Node Affinity:\t<none>")
        return
    out.line(0, "Node Affinity:\t")
    terms = required.get("nodeSelectorTerms") or []
    out.line(1, "Required Terms:\t" + ("" if terms else "<none>"))
    for index, term in enumerate(terms):
        texts = [_requirement(r) for r in term.get("matchExpressions") or []] or ["<none>"]
        out.line(2, f"Term {index}:\t{texts[0]}")
        for text in texts[1:]:
            out.line(2, f"\t{text}")


def _requirement(found: Obj) -> str:
    values = found.get("values") or []
    return f"{found['key']} {found['operator'].lower()}" + (f" [{', '.join(values)}]" if values else "")


def _source(out: Writer, spec: Obj) -> None:
    out.line(0, "Source:")
    kind = next((name for name in _SOURCES if spec.get(name)), "")
    if not kind:
        out.line(1, "<unknown>")
        return
    title, fields = _SOURCES[kind]
    out.field("Type", title, 2)
    for name, key in fields:
        out.field(name, _shown(spec[kind].get(key, False if key == "readOnly" else "")), 2)
    if kind == "csi":
        attributes = spec["csi"].get("volumeAttributes") or {}
        texts = [f"{k}={v}" for k, v in sorted(attributes.items())] or ["<none>"]
        out.field("VolumeAttributes", texts[0], 2)
        for text in texts[1:]:
            out.line(2, f"\t{text}")


def _shown(value: Any) -> Any:
    return w.go_bool(value) if isinstance(value, bool) else value


DESCRIBER = Describer(write)
