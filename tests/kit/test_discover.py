from pathlib import Path

import pytest

from kubelearn.kit.discover import DiscoveryError, discover, load, names


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / f"registry_{tmp_path.name.replace('-', '_')}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "api_resources.py").write_text("VERB = 'one'")
    (package / "get.py").write_text("VERB = 'two'")
    (package / "_shared.py").write_text("raise ImportError('must not be imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return package.name


def test_names_are_listed_without_importing(registry: str) -> None:
    assert names(registry) == ["api-resources", "get"]


def test_descriptors_are_found_by_name(registry: str) -> None:
    assert discover(registry, "VERB", str) == {"api-resources": "one", "get": "two"}


def test_a_missing_export_is_loud(registry: str) -> None:
    with pytest.raises(DiscoveryError, match="must export KIND"):
        load(registry, "get", "KIND", str)


def test_an_export_of_another_type_is_loud(registry: str) -> None:
    with pytest.raises(DiscoveryError, match="must export VERB, a int"):
        load(registry, "get", "VERB", int)


def test_one_descriptor_under_two_names_is_loud(registry: str, tmp_path: Path) -> None:
    (tmp_path / registry / "list.py").write_text(f"from {registry}.get import VERB")
    with pytest.raises(DiscoveryError, match="two modules"):
        discover(registry, "VERB", str)
