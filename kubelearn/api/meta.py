"""Object metadata: owners, uids, generated names and work-queue keys.

Small and pure; the server, controllers and kubelets all use it. Source: apimachinery's metav1 helpers.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

from kubelearn.api.resource import Obj

#: No vowels and no 0, 1 or 3: generated names spell no words (apimachinery's util/rand).
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

#: A generated name keeps this much of its base, so that base and suffix fit a DNS label.
MAX_GENERATED_BASE = 63 - 5

_random = random.SystemRandom()


def random_suffix(n: int = 5) -> str:
    return "".join(_random.choices(ALPHABET, k=n))


def generate_name(base: str) -> str:
    """`metadata.generateName` to a name."""
    return base[:MAX_GENERATED_BASE] + random_suffix()


def safe_encode(text: str) -> str:
    """Spell a number in the alphabet above, as pod-template-hash does (util/rand SafeEncodeString)."""
    return "".join(ALPHABET[ord(c) % len(ALPHABET)] for c in text)


def new_uid() -> str:
    return str(uuid.uuid4())


def owner_reference(obj: Obj, controller: bool = True) -> Obj:
    """What a dependant writes into `metadata.ownerReferences` to name `obj` as its owner."""
    meta = obj["metadata"]
    out: Obj = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
    if controller:
        out |= {"controller": True, "blockOwnerDeletion": True}
    return out


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference whose `controller` is true, if any."""
    refs: list[Any] = obj.get("metadata", {}).get("ownerReferences") or []
    return next((ref for ref in refs if ref.get("controller")), None)


def is_controlled_by(obj: Obj, owner: Obj) -> bool:
    ref = controller_of(obj)
    return ref is not None and ref.get("uid") == owner["metadata"].get("uid")


def key(obj: Obj) -> str:
    """`namespace/name`, or `name` for what has no namespace."""
    meta = obj["metadata"]
    return join_key(meta.get("namespace", ""), meta["name"])


def join_key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def split_key(text: str) -> tuple[str, str]:
    """(namespace, name); raises ValueError when there is more than one slash."""
    parts = text.split("/")
    if len(parts) == 1:
        return "", parts[0]
    if len(parts) == 2:
        return parts[0], parts[1]
    raise ValueError(f'unexpected key format: "{text}"')
