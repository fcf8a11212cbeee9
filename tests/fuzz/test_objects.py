"""Valid objects of every kind, mutated: what is refused is refused with a Status, and what is accepted can be shown,
changed, applied and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from fuzz.judge import TIMES, Fuzzed, encoded, path_of, tries
from fuzz.samples import SAMPLES, sample
from fuzz.strategies import json_patches, junk, mutated
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.apiserver.registry import Registry

pytestmark = pytest.mark.timeout(300 * TIMES)
KINDS = sorted(SAMPLES)
STORED = [(version, kind) for version, kind in KINDS if not kind.endswith("Review")]
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


def test_every_kind_has_a_sample() -> None:
    assert {(k.resource.api_version, k.resource.kind) for k in Registry().kinds.values()} == set(SAMPLES)


@pytest.mark.parametrize(("version", "kind"), KINDS)
async def test_samples_are_valid(fuzzed: Fuzzed, version: str, kind: str) -> None:
    obj = sample(version, kind)
    status, made = await fuzzed("POST", path_of(fuzzed, obj), obj, [("fieldValidation", "Strict")])
    assert status == 201, made


async def _show(fuzzed: Fuzzed, obj: Any) -> None:
    """Every form that a reader may ask for."""
    collection, one = path_of(fuzzed, obj), path_of(fuzzed, obj, obj["metadata"]["name"])
    for path in (collection, one):
        for headers in ({}, TABLE, {"Accept": "application/yaml"}):
            status, found = await fuzzed("GET", path, headers=headers)
            assert status == 200, found
    selecting = [("fieldSelector", "metadata.name=x"), ("labelSelector", "app=a")]
    assert (await fuzzed("GET", collection, None, selecting))[0] == 200
    status, again = await fuzzed("PUT", one, obj)
    assert status == 200, f"an answer that is sent back must be accepted: {again}"


@tries(500)
@given(st.data())
async def test_mutated_objects(fuzzed: Fuzzed, data: st.DataObject) -> None:
    await fuzzed.clean()
    version, kind = data.draw(st.sampled_from(KINDS))
    obj = sample(version, kind)
    path = path_of(fuzzed, obj)
    status, made = await fuzzed("POST", path, data.draw(mutated(sample(version, kind))))
    if status != 201 or kind.endswith("Review"):
        return
    await _show(fuzzed, made)
    name = made["metadata"]["name"]
    status, changed = await fuzzed("PUT", f"{path}/{name}", data.draw(mutated(made)))
    if status == 200:
        await _show(fuzzed, changed)
    assert (await fuzzed("DELETE", f"{path}/{name}", None, [("gracePeriodSeconds", "0")]))[0] == 200


@tries(600)
@given(st.data())
async def test_patches(fuzzed: Fuzzed, data: st.DataObject) -> None:
    await fuzzed.clean()
    version, kind = data.draw(st.sampled_from(STORED))
    obj = sample(version, kind)
    status, made = await fuzzed("POST", path_of(fuzzed, obj), obj)
    assert status == 201, made
    found = fuzzed.server.registry.by_kind(version, kind)
    assert found is not None
    parts = [
        s for s in found.resource.subresources if s in ("status", "scale", "finalize", "ephemeralcontainers", "resize")
    ]
    path = path_of(fuzzed, obj, "x", data.draw(st.sampled_from(["", "", *parts])))
    how = data.draw(st.sampled_from(("json", "merge", "strategic", "apply")))
    query = []
    if how == "json":
        body, media = data.draw(json_patches(made)), "application/json-patch+json"
    elif how == "apply":
        about = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
        body = data.draw(mutated({**obj, **about}))
        media, query = "application/apply-patch+yaml", [("fieldManager", "m"), ("force", "true")]
    else:
        whole = {k: v for k, v in made.items() if k != "metadata"} | {"metadata": {"labels": {"b": "c"}}}
        body = data.draw(mutated(data.draw(st.sampled_from([whole, obj])) | {}) | junk)
        media = MERGE if how == "merge" else STRATEGIC
    status, _ = await fuzzed("PATCH", path, body, query, {"Content-Type": media})
    if status in (200, 201):
        status, now = await fuzzed("GET", path_of(fuzzed, obj, "x"))
        if status == 200:
            await _show(fuzzed, now)


@tries(150)
@given(st.data())
async def test_field_owners(fuzzed: Fuzzed, data: st.DataObject) -> None:
    """Entries of managedFields that a client sends, valid ones mutated."""
    await fuzzed.clean()
    version, kind = data.draw(st.sampled_from(STORED))
    obj = sample(version, kind)
    status, made = await fuzzed("POST", path_of(fuzzed, obj), obj)
    assert status == 201, made
    owners = data.draw(mutated(made["metadata"]["managedFields"], 4))
    body, media = {"metadata": {"managedFields": owners}}, {"Content-Type": MERGE}
    status, _ = await fuzzed("PATCH", path_of(fuzzed, obj, "x"), body, headers=media)
    if status == 200:
        path, query = path_of(fuzzed, obj, "x"), [("fieldManager", "m"), ("force", "1")]
        await fuzzed("PATCH", path, encoded(obj), query, {"Content-Type": "application/apply-patch+yaml"})
        await _show(fuzzed, made | {"metadata": {**made["metadata"], "resourceVersion": None}})
