"""Kubeconfigs: contexts, merging, inline data and files, and what is said of broken ones."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelearn.client import kubeconfig
from kubelearn.kit.errors import KubelearnError


def document(**user: Any) -> dict[str, Any]:
    cluster = {"server": "https://10.0.0.1:6443", "certificate-authority-data": base64.b64encode(b"CA").decode()}
    context = {"cluster": "c", "user": "u", "namespace": "shop"}
    return {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": context}],
        "current-context": "x",
    }


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_inline_data(tmp_path: Path) -> None:
    found = kubeconfig.load(write(tmp_path / "config", document(token="t")))
    assert (found.server, found.ca, found.token) == ("https://10.0.0.1:6443", b"CA", "t")
    assert (found.context, found.namespace, found.user) == ("x", "shop", "u")


def test_files_are_found_beside_the_config(tmp_path: Path) -> None:
    write(tmp_path / "client.crt", "CERT")
    write(tmp_path / "token", " secret\n")
    path = write(tmp_path / "config", document(**{"client-certificate": "client.crt", "tokenFile": "token"}))
    found = kubeconfig.load(path)
    assert (found.cert, found.token) == (b"CERT", "secret")


def test_kubeconfig_variable_merges_and_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = document(token="one"), document(token="two")
    second["contexts"].append({"name": "other", "context": {"cluster": "c", "user": "u"}})
    second["current-context"] = "other"
    paths = [write(tmp_path / "a", first), tmp_path / "missing", write(tmp_path / "b", second)]
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths)))
    assert kubeconfig.load().token == "one"
    found = kubeconfig.load(context="other")
    assert (found.context, found.namespace) == ("other", "default")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a: [", "not YAML"),
        ("contexts: 3", "contexts must be a list"),
        ("{}", "no current context"),
        ("current-context: y", 'context "y" does not exist'),
        ({**document(), "clusters": []}, 'cluster "c" does not exist'),
        ({**document(), "users": []}, 'user "u" does not exist'),
        (document(**{"client-certificate-data": "%%"}), "client-certificate-data is not base64"),
        (document(**{"client-key": "nowhere.key"}), "cannot read client-key"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(KubelearnError, match=message) as caught:
        kubeconfig.load(write(tmp_path / "config", content))
    assert caught.value.hint


def test_no_file_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    with pytest.raises(KubelearnError, match="no kubeconfig"):
        kubeconfig.load()
    with pytest.raises(KubelearnError, match="cannot read"):
        kubeconfig.load(tmp_path / "nowhere")


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(KubelearnError, match="certificates cannot be used"):
        kubeconfig.transport(kubeconfig.load(write(tmp_path / "config", document())))


async def test_credential_plugin(tmp_path: Path) -> None:
    script = tmp_path / "plugin"
    counter = tmp_path / "count"
    script.write_text(
        f"#!{sys.executable}\nimport json, os, pathlib\n"
        f"p = pathlib.Path({str(counter)!r}); p.write_text(p.read_text() + 'x' if p.exists() else 'x')\n"
        "assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'\n"
        "print(json.dumps({'status': {'token': os.environ['NAME'], 'expirationTimestamp': '2999-01-01T00:00:00Z'}}))\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    from kubelearn.client._exec_plugin import ExecPlugin

    plugin = ExecPlugin({"command": str(script), "env": [{"name": "NAME", "value": "tok"}]})
    assert [await plugin(), await plugin()] == ["tok", "tok"]
    assert counter.read_text() == "x"
    with pytest.raises(KubelearnError, match="cannot run credential plugin"):
        await ExecPlugin({"command": str(tmp_path / "none"), "installHint": "install it"})()
    with pytest.raises(KubelearnError, match="did not answer with an ExecCredential"):
        await ExecPlugin({"command": "echo", "args": ["hello"]})()
    with pytest.raises(KubelearnError, match="exit status 1"):
        await ExecPlugin({"command": "false"})()
