"""Storage classes."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    annotations = found["metadata"].get("annotations") or {}
    out.field("Name", found["metadata"]["name"])
    out.field("IsDefaultClass", "Yes" if any(annotations.get(key) == "true" for key in _DEFAULT) else "No")
    out.field("Annotations", w.pairs(annotations))
    out.field("Provisioner", found.get("provisioner", ""))
    out.field("Parameters", w.pairs(found.get("parameters")))
    out.field("AllowVolumeExpansion", w.boolean_or_unset(found.get("allowVolumeExpansion")))
    mount_options = found.get("mountOptions") or []
    out.line(0, "MountOptions:" if mount_options else "MountOptions:\t<none>")
    for option in mount_options:
        out.line(1, option)
    if found.get("reclaimPolicy"):
        out.field("ReclaimPolicy", found["reclaimPolicy"])
    if found.get("volumeBindingMode"):
        out.field("VolumeBindingMode", found["volumeBindingMode"])
    if found.get("allowedTopologies") is not None:
        _topologies(out, found["allowedTopologies"])


def _topologies(out: Writer, found: list[Obj]) -> None:
    out.line(0, "AllowedTopologies:\t" + ("" if found else "<none>"))
    for index, term in enumerate(found):
        terms = term.get("matchLabelExpressions") or []
        texts = [f"{t['key']} in [{', '.join(t.get('values') or [])}]" for t in terms] or ["<none>"]
        out.line(1, f"Term {index}:\t{texts[0]}")
        for text in texts[1:]:
            out.line(1, f"\t{text}")


DESCRIBER = Describer(write)
