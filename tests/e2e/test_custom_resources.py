"""A kind of one's own, from its definition to its end: by real kubectl, by ours, and by the official Python client."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.clusters import Cluster, Done, eventually

DEFINITION = Path(__file__).parent / "manifests" / "gears.yaml"
CRD = "crd/gears.shop.example.com"

Run = Callable[..., Done]


def gear(name: str = "g1", **spec: Any) -> str:
    """A manifest."""
    obj = {"apiVersion": "shop.example.com/v1", "kind": "Gear", "metadata": {"name": name}, "spec": spec}
    return json.dumps(obj)


@pytest.fixture
def defined(cluster: Cluster) -> Iterator[None]:
    """The definition is there and Established; none before, none afterwards."""
    assert cluster.kubectl("apply", "-f", str(DEFINITION)).code == 0
    waited = cluster.kubectl("wait", "--for=condition=Established", CRD, "--timeout=20s")
    assert waited.code == 0, waited.err
    yield
    cluster.kubectl("delete", CRD, "--ignore-not-found")


@pytest.fixture(params=["kubectl", "ours"])
def run(request: pytest.FixtureRequest, cluster: Cluster, namespace: str, defined: None) -> Run:
    """A program in the test's namespace; it must succeed unless the test says otherwise."""
    program = cluster.kubectl if request.param == "kubectl" else cluster.k

    def kubectl(*args: str, stdin: str = "", code: int = 0) -> Done:
        done = program("-n", namespace, *args, stdin=stdin)
        assert done.code == code, f"kubectl {' '.join(args)}: {done.err}{done.out}"
        return done

    return kubectl


def test_a_custom_resource_is_used_as_any_other(run: Run) -> None:
    assert run("apply", "-f", "-", stdin=gear(size=3)).out == "gear.shop.example.com/g1 created\n"
    assert run("apply", "-f", "-", stdin=gear(size=3)).out == "gear.shop.example.com/g1 unchanged\n"
    assert run("get", "ge").out.split()[:3] == ["NAME", "SIZE", "g1"]
    assert run("get", "machinery", "-o", "wide", "--no-headers").out.split() == ["g1", "3", "red"]
    assert "FIELD: size <integer>" in run("explain", "gear.spec.size").out
    assert "FIELD: parts <[]Object>" in run("explain", "gear.spec.parts").out
    assert "Size:" in run("describe", "gear", "g1").out
    assert run("scale", "gear/g1", "--replicas=5").out == "gear.shop.example.com/g1 scaled\n"
    status = '{"spec":{"size":9},"status":{"size":5}}'
    run("patch", "gear", "g1", "--subresource=status", "--type=merge", "-p", status)
    assert json.loads(run("get", "gear", "g1", "-o", "jsonpath={.spec}").out) == {"size": 5, "colour": "red"}
    assert run("get", "gears", "--field-selector=spec.colour=green", "-o", "name").out == ""
    assert run("get", "gears", "--field-selector=spec.colour=red", "-o", "name").out == "gear.shop.example.com/g1\n"
    assert run("replace", "-f", "-", stdin=gear(size=2)).out == "gear.shop.example.com/g1 replaced\n"
    assert run("delete", "gear", "g1").code == 0
    assert "not found" in run("get", "gear", "g1", code=1).err


def test_what_the_schema_does_not_allow_is_refused(run: Run) -> None:
    refused = run("create", "-f", "-", stdin=gear(size=30), code=1).err
    assert "spec.size: Invalid value: 30: spec.size in body should be less than or equal to 10" in refused
    assert "big gears are green" in run("create", "-f", "-", stdin=gear(size=9), code=1).err
    assert 'unknown field "spec.weight"' in run("create", "-f", "-", stdin=gear(size=1, weight=2), code=1).err
    run("create", "-f", "-", "--validate=false", stdin=gear(size=1, weight=2))
    assert json.loads(run("get", "gear", "g1", "-o", "jsonpath={.spec}").out) == {"size": 1, "colour": "red"}
    strategic = run("patch", "gear", "g1", "-p", '{"spec":{"size":2}}', code=1).err
    assert "application/strategic-merge-patch+json is not supported by shop.example.com/v1, Kind=Gear" in strategic


def test_managers_share_a_list_that_has_keys(run: Run) -> None:
    for manager, teeth in (("one", 12), ("two", 20)):
        mine = gear(size=3, parts=[{"name": manager, "teeth": teeth}])
        run("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=mine)
    assert run("get", "gear", "g1", "-o", "jsonpath={.spec.parts[*].name}").out == "one two"
    other = gear(size=4, parts=[{"name": "one", "teeth": 13}])
    assert "conflict" in run("apply", "--server-side", "--field-manager=three", "-f", "-", stdin=other, code=1).err


def test_with_the_definition_goes_everything(run: Run) -> None:
    run("apply", "-f", "-", stdin=gear(size=3))
    assert "deleted" in run("delete", CRD).out
    assert "shop.example.com/v1" not in run("api-versions").out.split()
    assert run("get", "gears.shop.example.com", "g1", code=1).err


def test_the_dynamic_client_uses_a_kind_that_is_new(cluster: Cluster, namespace: str) -> None:
    client, config = importlib.import_module("kubernetes.client"), importlib.import_module("kubernetes.config")
    dynamic = importlib.import_module("kubernetes.dynamic")
    configuration = client.Configuration()
    config.load_kube_config(cluster.env["KUBECONFIG"], client_configuration=configuration)
    with client.ApiClient(configuration) as api:
        found = dynamic.DynamicClient(api).resources
        definitions = found.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
        definitions.create(body=yaml.safe_load(DEFINITION.read_text()))
        began = time.monotonic()
        try:
            eventually(lambda: _is_established(definitions))
            found.invalidate_cache()
            gears = found.get(api_version="shop.example.com/v1", kind="Gear")
            made = gears.create(body=json.loads(gear(size=3)), namespace=namespace)
            assert time.monotonic() - began < 10, "served as soon as it is Established"
            assert made.spec.to_dict() == {"size": 3, "colour": "red"}
            assert gears.scale.get(name="g1", namespace=namespace).spec.replicas == 3
            patched = gears.patch(
                body={"spec": {"size": 4}}, name="g1", namespace=namespace, content_type="application/merge-patch+json"
            )
            assert (patched.spec.size, patched.metadata.generation) == (4, 2)
            seen = [event["type"] for event in gears.watch(namespace=namespace, timeout=1)]
            assert seen == ["ADDED"]
        finally:
            definitions.delete(name="gears.shop.example.com")
            eventually(lambda: "gears.shop.example.com" not in {c.metadata.name for c in definitions.get().items})


def _is_established(definitions: Any) -> bool:
    found = definitions.get(name="gears.shop.example.com").to_dict().get("status", {})
    return any((c["type"], c["status"]) == ("Established", "True") for c in found.get("conditions") or ())
