"""What a command must not import: start-up time is a feature, so it is a test."""

import subprocess
import sys

import pytest

HEAVY = {
    "textual",
    "aiohttp",
    "networkx",
    "prompt_toolkit",
    "docker",
    "cryptography",
    "kubernetes_validate",
    "rich",
    "yaml",
}


def imported_by(code: str) -> set[str]:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\ntry:\n {code}\nexcept SystemExit: pass\nprint('\\n'.join(sys.modules), file=sys.stderr)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split(".")[0] for line in done.stderr.splitlines()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["up", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert not imported_by(f"from kubelearn.cli.main import main; main({arguments!r})") & HEAVY


def test_client_imports_nothing_heavy() -> None:
    assert not imported_by("import kubelearn.client.http, kubelearn.client.rest") & (HEAVY - {"yaml"})


def test_kubectl_get_imports_nothing_heavy() -> None:
    assert not imported_by("import kubelearn.kubectl.main, kubelearn.kubectl.verbs.get") & (HEAVY - {"yaml"})
