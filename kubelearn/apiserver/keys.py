"""Keys in the store, as kube-apiserver lays them out in etcd: `/registry/<resource>/<namespace>/<name>`."""

from __future__ import annotations

from kubelearn.api.resource import Resource

ROOT = "/registry/"


def prefix(resource: Resource, namespace: str = "") -> str:
    """The prefix of a collection, in one namespace or in all."""
    group = f"{resource.group}/" if resource.group else ""
    root = f"{ROOT}{group}{resource.plural}/"
    return f"{root}{namespace}/" if resource.namespaced and namespace else root


def key(resource: Resource, namespace: str, name: str) -> str:
    return prefix(resource, namespace) + name


def parse(text: str) -> tuple[str, str, str]:
    """Group resource, namespace and name of a key; a group's name has a dot or is one of the old ones."""
    first, *rest = text.removeprefix(ROOT).split("/")
    if "." in first or first in ("apps", "batch", "autoscaling", "policy"):
        plural, *rest = rest
        first = f"{plural}.{first}"
    return (first, "", rest[0]) if len(rest) == 1 else (first, rest[0], rest[-1])
