"""The same command line by two programs: ours and real kubectl, each in a namespace of its own, answers compared.

What no two objects share is masked: times, ages, identities, addresses, random suffixes; then runs of spaces, since
columns are as wide as what was masked.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from support.clusters import Cluster, Done, official_kubectl

_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
_MASKS = [
    (re.compile(pattern, re.M), shown)
    for pattern, shown in (
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?", "<TIME>"),
        (r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<TIME>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<UID>"),
        (r"""(resourceVersion['"]?: ?['"]?)\d+""", r"\1<RV>"),
        (r"/(our|ref)/kubeconfig\b", "/<SIDE>/kubeconfig"),
        (r"(Resource Version: +)\d+", r"\1<RV>"),
        (r"/(LIVE|MERGED)-\d+", r"/\1"),
        (r"pod-template-hash([=:] ?\"?)[0-9a-z]+", r"pod-template-hash\1<HASH>"),
        (rf"-{_LETTERS}{{6,10}}-{_LETTERS}{{5}}\b", "-<POD>"),
        (rf"-{_LETTERS}{{8,10}}\b", "-<HASH>"),
        (rf"\bweb-{_LETTERS}{{5}}\b", "web-<RANDOM>"),
        (r"\b(10|172|127|192)\.\d+\.\d+\.\d+\b", "<IP>"),
        (r"\b3[0-2]\d{3}\b", "<PORT>"),
        (r"(process|docker)://[0-9a-z-]+", "<ID>"),
        (r"(?<![=\w.'\"])(\d+d)?(\d+h)?(\d+m)?(\d+s|\d+m|\d+ms)( ago)?(?=\s|\)|$)", "<AGE>"),
        (r"<AGE> \(x\d+ over <AGE>\)", "<AGE>"),  # how often the cluster said so is no matter of the clients'
        (r"\bworker-\d\b", "<NODE>"),
        (r"kube-api-access-\w{5}", "kube-api-access-<X>"),
        (r"([FG]0\w{3}|[IWEF]\d{4}) \d\d:\d\d:\d\d\.\d+\s+\d+ ", "<LOG> "),
    )
]
_READS = ("get", "describe", "events", "top", "rollout status", "rollout history", "logs", "wait")


@dataclass(frozen=True)
class Side:
    """One of the two programs, in the namespace that is its own."""

    cluster: Cluster
    ours: bool
    namespace: str
    kubeconfig: Path
    folder: Path

    @property
    def node(self) -> str:
        return "worker-1" if self.ours else "worker-2"

    def run(self, line: str, stdin: str = "") -> Done:
        words = [word.replace("@@", self.namespace).replace("%%", self.node) for word in shlex.split(line)]
        program = [sys.executable, "-m", "kubelearn", "kubectl"] if self.ours else [official_kubectl()]
        env = {**self.cluster.env, "KUBECONFIG": str(self.kubeconfig), "KUBECTL_EXTERNAL_DIFF": "diff -u -N"}
        done = subprocess.run(
            [*program, "--kubeconfig", str(self.kubeconfig), *words],
            # a discovery cache in the home folder may be of another cluster that had this port
            env={**env, "TZ": "UTC", "NO_COLOR": "1", "KUBECACHEDIR": str(self.kubeconfig.parent / "cache")},
            input=stdin.replace("@@", self.namespace),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def masked(self, done: Done) -> Done:
        return Done(done.code, self._masked(done.out), self._masked(done.err))

    def _masked(self, text: str) -> str:
        text = text.replace(self.namespace, "<NS>")
        for pattern, shown in _MASKS:
            text = pattern.sub(shown, text)
        return "\n".join(re.sub(r" {2,}|\t+", "  ", line).rstrip() for line in text.splitlines())


def differs(ours: Side, real: Side, line: str, stdin: str, seconds: float) -> tuple[Done, Done] | None:
    """Both answers when they differ. What only reads is asked again for some seconds: the namespaces move by themselves."""
    deadline = time.monotonic() + (seconds if line.startswith(_READS) else 0)
    while True:
        expected, got = real.masked(real.run(line, stdin)), ours.masked(ours.run(line, stdin))
        if expected == got:
            return None
        if time.monotonic() > deadline:
            return expected, got
