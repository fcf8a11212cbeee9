"""Completion as a function: from a line, a cursor and what the cluster holds to suggestions."""

from __future__ import annotations

import pytest

from kubelearn.kubectl.complete import suggest


class Holds:
    """A cluster of a few names."""

    async def kinds(self) -> list[tuple[str, str]]:
        return [("deployments", "deploy"), ("nodes", "no"), ("pods", "po")]

    async def names(self, kind: str, namespace: str) -> list[str]:
        found = {
            ("pods", "default"): ["web-1", "web-2"],
            ("po", "default"): ["web-1", "web-2"],
            ("pod", "default"): ["web-1", "web-2"],
            ("pods", "kube-system"): ["coredns"],
            ("nodes", ""): ["worker-1"],
            ("nodes", "default"): ["worker-1"],
            ("namespaces", ""): ["default", "kube-system"],
        }
        return found.get((kind, namespace), [])

    async def containers(self, pod: str, namespace: str) -> list[str]:
        return ["app", "sidecar"] if pod == "web-1" else []

    async def components(self) -> list[str]:
        return ["kube-scheduler", "kubelet-worker-1"]


async def texts(line: str, cursor: int | None = None) -> list[str]:
    return [s.text for s in await suggest(line, len(line) if cursor is None else cursor, Holds())]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kubectl ge", ["get"]),
        ("ge", ["get"]),
        ("k ge", ["get"]),
        ("get po", ["pods"]),
        ("k get po ", ["web-1", "web-2"]),
        ("get pods web-1 ", ["web-2"]),
        ("get pods/", ["pods/web-1", "pods/web-2"]),
        ("get pods -n kube-system ", ["coredns"]),
        ("get pods -n ", ["default", "kube-system"]),
        ("get pods --namespace ku", ["kube-system"]),
        ("get pods -o js", ["json", "jsonpath="]),
        ("logs web-1 -c ", ["app", "sidecar"]),
        ("rollout stat", ["status"]),
        ("step ", ["kube-scheduler", "kubelet-worker-1"]),
        ("pause kube-s", ["kube-scheduler"]),
        ("node stop ", ["worker-1"]),
        ("no-such-verb x", []),
        ("get pods 'half", []),
    ],
)
async def test_what_may_stand_at_the_cursor(line: str, expected: list[str]) -> None:
    assert await texts(line) == expected


async def test_flags_are_those_of_the_verb_with_their_help() -> None:
    found = {s.text: s.description for s in await suggest("get pods --", 11, Holds())}
    assert {"--all-namespaces", "--output", "--selector", "--watch"} <= found.keys()
    assert "--replicas" not in found
    assert all(found.values())


async def test_the_cursor_decides_not_the_end_of_the_line() -> None:
    assert await texts("get po -n default", 6) == ["pods"]


async def test_a_verb_is_explained() -> None:
    (found,) = await suggest("scal", 4, Holds())
    assert (found.text, found.start) == ("scale", 0)
    assert found.description
