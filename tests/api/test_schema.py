"""Types from the official definitions."""

from __future__ import annotations

import subprocess
import sys

from kubelearn.api import schema


def test_fields_carry_merge_keys_and_prose() -> None:
    pod = schema.for_kind("", "v1", "Pod")
    assert pod is not None
    containers = pod.lookup(["spec", "containers"])
    assert containers is not None
    assert (containers.patch_strategy, containers.patch_merge_key) == ("merge", "name")
    assert (containers.list_type, containers.list_map_keys, containers.required) == ("map", ("name",), True)
    assert containers.description.startswith("List of containers")
    policy = pod.lookup(["spec", "containers", "imagePullPolicy"])
    assert policy is not None
    assert policy.enum == ("Always", "IfNotPresent", "Never")
    assert pod.lookup(["spec", "nope"]) is None


def test_go_kinds() -> None:
    pod = schema.for_kind("", "v1", "Pod")
    service = schema.for_kind("", "v1", "Service")
    assert pod is not None
    assert service is not None

    def kind(path: str, of: schema.Type) -> tuple[str, str]:
        found = of.lookup(path.split("."))
        assert found is not None
        return found.type.go_kind, found.type.go_name

    assert kind("spec.containers", pod) == ("array", "[]v1.Container")
    assert kind("metadata.labels", pod) == ("map", "map[string]string")
    assert kind("spec.terminationGracePeriodSeconds", pod) == ("integer", "int64")
    assert kind("spec.hostNetwork", pod) == ("boolean", "bool")
    assert kind("spec.ports.targetPort", service) == ("intOrString", "intstr.IntOrString")
    assert kind("status.startTime", pod) == ("string", "v1.Time")


def test_kinds() -> None:
    assert ("apps", "v1", "Deployment") in schema.known_kinds()
    assert ("", "v1", "PodList") in schema.known_kinds()
    assert schema.for_kind("example.com", "v1", "Widget") is None
    assert schema.for_kind("apps", "v1", "DeleteOptions") is not None


def test_every_type_resolves() -> None:
    for group, version, kind in schema.known_kinds():
        found = schema.for_kind(group, version, kind)
        assert found is not None
        for field in found.fields.values():
            assert field.type.go_kind


def test_import_reads_nothing_and_pulls_no_jsonschema() -> None:
    code = (
        "import sys; from kubelearn.api import schema, definitions\n"
        "assert definitions._encoded.cache_info().currsize == 0\n"
        "schema.for_kind('', 'v1', 'Pod')\n"
        "assert not {'jsonschema', 'kubernetes_validate', 'jsonpatch'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
