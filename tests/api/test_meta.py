"""Owners, keys and generated names."""

from __future__ import annotations

import pytest

from kubelearn.api import meta


def test_owner_references() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "uid": "u1"}}
    ref = meta.owner_reference(owner)
    pod = {"metadata": {"name": "p", "ownerReferences": [{"uid": "u0"}, ref]}}
    assert meta.controller_of(pod) == ref
    assert meta.is_controlled_by(pod, owner)
    assert "controller" not in meta.owner_reference(owner, controller=False)
    assert meta.controller_of({"metadata": {}}) is None


def test_keys() -> None:
    assert meta.key({"metadata": {"name": "a", "namespace": "n"}}) == "n/a"
    assert meta.split_key("n/a") == ("n", "a")
    assert meta.split_key("a") == ("", "a")
    with pytest.raises(ValueError, match="unexpected key format"):
        meta.split_key("a/b/c")


def test_generated_names() -> None:
    name = meta.generate_name("x" * 70)
    assert len(name) == 63
    assert set(meta.random_suffix(50)) <= set(meta.ALPHABET)
    assert meta.safe_encode("7564") == "".join(meta.ALPHABET[ord(c) % 27] for c in "7564")
