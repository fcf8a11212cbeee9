"""/metrics: what the server counts, in Prometheus' text format with kube-apiserver's names.

Counting is two dictionary steps a request; everything else is worked out when somebody asks. (The official client library
would cost a tenth of a second of every start.) Source: Kubernetes' metrics reference.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
_STARTED = time.time()
#: Paths are what clients make them: past this many kinds of request new ones are told apart by verb only.
_MOST = 2_000

#: verb, group, version, resource, subresource, scope
Labels = tuple[str, str, str, str, str, str]
_VERBS = {"create": "POST", "update": "PUT"}
_NAMES = ("verb", "group", "version", "resource", "subresource", "scope")


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    total: float = 0.0


@dataclass(slots=True)
class Measured:
    """`status` is what the request was answered with."""

    status: int = 500


class Metrics:
    """`requests` by labels and status code, `durations` by labels; `inflight` by kind of request, `watches` by labels."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[Labels, int]] = Counter()
        self.durations: dict[Labels, _Histogram] = {}
        self.inflight: Counter[str] = Counter()
        self.watches: Counter[Labels] = Counter()
        self.watch_events: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def measured(self, request: Request, route: Route | None) -> Iterator[Measured]:
        """Within this a request is worked on; a watch is, for as long as it takes to begin."""
        measured, began = Measured(), time.perf_counter()
        kind = "readOnly" if request.method in ("GET", "HEAD") else "mutating"
        self.inflight[kind] += 1
        try:
            yield measured
        finally:
            self.inflight[kind] -= 1
            labels = labels_of(request, route)
            if labels not in self.durations and len(self.durations) >= _MOST:
                labels = (labels[0], "", "", "", "", "")
            self._answered(labels, measured.status, time.perf_counter() - began)

    def _answered(self, labels: Labels, status: int, seconds: float) -> None:
        self.requests[labels, status] += 1
        if labels[0] == "WATCH":
            return
        found = self.durations.get(labels)
        if found is None:
            found = self.durations[labels] = _Histogram()
        found.counts[bisect_left(_BUCKETS, seconds)] += 1
        found.total += seconds

    def text(self, objects: Mapping[str, int]) -> bytes:
        """The exposition; `objects` is how many are stored, by group resource."""
        return "".join(
            line + "\n" for family in (self._requests(), self._now(), _store(objects), _process()) for line in family
        ).encode()

    def _requests(self) -> Iterator[str]:
        name = "apiserver_request_total"
        yield from _about(name, "counter", "Requests by verb, resource and HTTP status.")
        for (labels, code), count in sorted(self.requests.items()):
            yield _sample(name, [*zip(_NAMES, labels, strict=True), ("code", str(code))], count)
        name = "apiserver_request_duration_seconds"
        yield from _about(name, "histogram", "Time to answer, without watches.")
        for labels, found in sorted(self.durations.items()):
            told, below = list(zip(_NAMES, labels, strict=True)), 0
            for bound, count in zip((*_BUCKETS, "+Inf"), found.counts, strict=True):
                below += count
                yield _sample(f"{name}_bucket", [*told, ("le", str(bound))], below)
            yield _sample(f"{name}_sum", told, found.total)
            yield _sample(f"{name}_count", told, below)

    def _now(self) -> Iterator[str]:
        name = "apiserver_current_inflight_requests"
        yield from _about(name, "gauge", "Requests that are worked on now.")
        for kind in ("mutating", "readOnly"):
            yield _sample(name, [("request_kind", kind)], self.inflight[kind])
        name = "apiserver_longrunning_requests"
        yield from _about(name, "gauge", "Watches that are open now.")
        for labels, count in sorted(self.watches.items()):
            yield _sample(name, list(zip(_NAMES, labels, strict=True)), count)
        name = "apiserver_watch_events_total"
        yield from _about(name, "counter", "Events sent to watchers.")
        for (group, kind), count in sorted(self.watch_events.items()):
            yield _sample(name, [("group", group), ("kind", kind)], count)


def labels_of(request: Request, route: Route | None) -> Labels:
    """Verbs as Kubernetes' metrics spell them: a patch that applies is APPLY."""
    if route is None:
        return request.method, "", "", "", "", ""
    verb = _VERBS.get(route.verb) or route.verb.upper()
    if verb == "PATCH" and "apply-patch" in request.headers.get("content-type", ""):
        verb = "APPLY"
    scope = "resource" if route.name or route.verb == "create" else "namespace" if route.namespace else "cluster"
    return verb, route.group, route.version, route.plural, route.subresource, scope


def _store(objects: Mapping[str, int]) -> Iterator[str]:
    name = "apiserver_storage_objects"
    yield from _about(name, "gauge", "Objects stored, by resource.")
    for resource, count in sorted(objects.items()):
        yield _sample(name, [("resource", resource)], count)


def _process() -> Iterator[str]:
    """Of /proc, as Prometheus' client libraries name it."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
        open_files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:  # not Linux
        return
    virtual, resident = (int(count) * os.sysconf("SC_PAGE_SIZE") for count in pages)
    used = os.times()
    for name, kind, text, value in (
        ("process_cpu_seconds_total", "counter", "CPU time, user and system.", used.user + used.system),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", resident),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory.", virtual),
        ("process_open_fds", "gauge", "Open file descriptors.", open_files),
        ("process_start_time_seconds", "gauge", "When the process started, since the epoch.", _STARTED),
    ):
        yield from _about(name, kind, text)
        yield _sample(name, [], value)


def _about(name: str, kind: str, text: str) -> Iterable[str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _sample(name: str, labels: list[tuple[str, str]], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
