"""What Kubernetes fills in in a pod's spec and in a pod template (pkg/apis/core/v1 defaults).

A Pod gets a little more than a template: requests from limits, host ports, service links. Quantities are
brought to their canonical form here too, since Go does that when it decodes.
"""

from __future__ import annotations

import re

from kubelearn.api import quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.resource import Obj

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?P<digest>@[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_MODE_0644 = 0o644
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def pull_policy(image: str) -> str:
    """`Always` for a mutable tag (latest, or none), else `IfNotPresent`."""
    match = _IMAGE.fullmatch(image)
    if match is None or match["digest"]:
        return "IfNotPresent"
    return "Always" if (match["tag"] or "latest") == "latest" else "IfNotPresent"


def canonical_quantity(obj: Obj, key: str) -> None:
    """Leaves alone what is not a quantity: validation says so."""
    found = obj.get(key) if isinstance(obj, dict) else None
    if isinstance(found, str | int | float) and not isinstance(found, bool):
        try:
            obj[key] = quantity.canonical(found)
        except ValueError:
            return


def canonical_quantities(found: Obj) -> None:
    for key in found:
        canonical_quantity(found, key)


def default_template(template: Obj) -> None:
    """A PodTemplateSpec."""
    r.ensure(template, "metadata")
    default_spec(r.ensure(template, "spec"))


def default_spec(spec: Obj) -> None:
    """What holds for a pod and for a template."""
    for field, value in (("dnsPolicy", "ClusterFirst"), ("restartPolicy", "Always"),
                         ("schedulerName", "default-scheduler")):  # fmt: skip
        r.fill_text(spec, field, value)
    r.fill(spec, "terminationGracePeriodSeconds", 30)
    r.ensure(spec, "securityContext")
    _service_account(spec)
    for volume in r.objects(spec, "volumes"):
        _volume(volume)
    for name in _CONTAINER_LISTS:
        for container in r.objects(spec, name):
            _container(container)
    _resources(r.mapping(spec, "resources"))
    canonical_quantities(r.mapping(spec, "overhead"))


def default_pod_spec(spec: Obj) -> None:
    """A Pod's own spec."""
    default_spec(spec)
    r.fill(spec, "enableServiceLinks", True)
    for name in ("initContainers", "containers"):
        for container in r.objects(spec, name):
            _requests_from_limits(r.mapping(container, "resources"))
            if r.flag(spec, "hostNetwork"):
                for port in r.objects(container, "ports"):
                    r.fill_zero(port, "hostPort", r.count(port, "containerPort"))
    _requests_from_limits(r.mapping(spec, "resources"))


def _service_account(spec: Obj) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`; both are always shown alike."""
    if name := r.text(spec, "serviceAccountName") or r.text(spec, "serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _requests_from_limits(resources: Obj) -> None:
    limits = r.mapping(resources, "limits")
    if limits:
        requests = r.ensure(resources, "requests")
        for name, value in limits.items():
            r.fill(requests, name, value)


def _resources(resources: Obj) -> None:
    for name in ("limits", "requests"):
        canonical_quantities(r.mapping(resources, name))


def _container(container: Obj) -> None:
    r.fill_text(container, "imagePullPolicy", pull_policy(r.text(container, "image")))
    r.fill_text(container, "terminationMessagePath", "/dev/termination-log")
    r.fill_text(container, "terminationMessagePolicy", "File")
    _resources(r.ensure(container, "resources"))
    for port in r.objects(container, "ports"):
        r.fill_text(port, "protocol", "TCP")
    for env in r.objects(container, "env"):
        if env.get("value") == "":
            del env["value"]  # Go leaves an empty one out
        _value_from(r.mapping(env, "valueFrom"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if r.has(container, name):
            _probe(r.mapping(container, name))
    for name in ("postStart", "preStop"):
        _http_get(r.mapping(container, "lifecycle", name))


def _value_from(source: Obj) -> None:
    if r.has(source, "fieldRef"):
        r.fill_text(r.mapping(source, "fieldRef"), "apiVersion", "v1")
    if r.has(source, "resourceFieldRef"):
        reference = r.mapping(source, "resourceFieldRef")
        r.fill(reference, "divisor", "0")
        canonical_quantity(reference, "divisor")


def _http_get(handler: Obj) -> None:
    if r.has(handler, "httpGet"):
        action = r.mapping(handler, "httpGet")
        r.fill_text(action, "path", "/")
        r.fill_text(action, "scheme", "HTTP")


def _probe(probe: Obj) -> None:
    _http_get(probe)
    if r.has(probe, "grpc"):
        r.fill(r.mapping(probe, "grpc"), "service", "")
    for name, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        r.fill_zero(probe, name, value)


def _items(source: Obj) -> None:
    for item in r.objects(source, "items"):
        _value_from(item)


def _projected(source: Obj) -> None:
    r.fill(source, "defaultMode", _MODE_0644)
    for part in r.objects(source, "sources"):
        _items(r.mapping(part, "downwardAPI"))
        if r.has(part, "serviceAccountToken"):
            r.fill(r.mapping(part, "serviceAccountToken"), "expirationSeconds", 3600)


#: What a disk of a kind is, unless it says otherwise.
DISKS: dict[str, dict[str, str | bool]] = {
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def default_disk(volume: Obj) -> None:
    """Of a pod's volume, or of the spec of a PersistentVolume."""
    for kind, defaults in DISKS.items():
        if r.has(volume, kind):
            disk = r.mapping(volume, kind)
            for name, value in defaults.items():
                r.fill(disk, name, value)


def _volume(volume: Obj) -> None:
    if volume and all(value is None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    for name in ("configMap", "secret", "downwardAPI"):
        if r.has(volume, name):
            r.fill(r.mapping(volume, name), "defaultMode", _MODE_0644)
    _items(r.mapping(volume, "downwardAPI"))
    if r.has(volume, "projected"):
        _projected(r.mapping(volume, "projected"))
    default_disk(volume)
    if r.has(volume, "hostPath"):
        r.fill(r.mapping(volume, "hostPath"), "type", "")
    if r.has(volume, "image"):
        image = r.mapping(volume, "image")
        r.fill_text(image, "pullPolicy", pull_policy(r.text(image, "reference")))
    if r.has(volume, "ephemeral"):
        claim = r.mapping(volume, "ephemeral", "volumeClaimTemplate", "spec")
        r.fill(claim, "volumeMode", "Filesystem")
        _resources(r.mapping(claim, "resources"))
    canonical_quantity(r.mapping(volume, "emptyDir"), "sizeLimit")
