"""In which order groups and versions are listed, and so which of two kinds of one name is meant.

Source: kube-apiserver's table of API service priorities (pkg/controlplane/apiserver/aggregator.go); custom groups come last.
"""

from __future__ import annotations

import re

GROUPS = {
    "": 18000,
    "apiregistration.k8s.io": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "admissionregistration.k8s.io": 16700,
    "apiextensions.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "metrics.k8s.io": 100,
}
CUSTOM = 1000
_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?")
_STAGES = {None: 2, "beta": 1, "alpha": 0}


def of_group(name: str) -> int:
    return GROUPS.get(name, CUSTOM)


def group_key(name: str) -> tuple[int, str]:
    """Sorts groups as discovery lists them."""
    return -of_group(name), name


def version_key(name: str) -> tuple[int, int, int, str]:
    """Sorts versions newest first: v2, v1, v1beta2, v1alpha1, and what is no such version by name at the end."""
    found = _VERSION.fullmatch(name)
    if found is None:
        return 1, 0, 0, name
    major, stage, minor = found.groups()
    return -_STAGES[stage], -int(major), -int(minor or 0), ""
