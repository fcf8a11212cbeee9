"""Every controller of the registry: what the manager, the gate and the API server's rules rely on."""

from __future__ import annotations

import inspect
import re

import pytest

from kubelearn.controllers.base import Controller, Options
from kubelearn.controllers.manager import registry
from kubelearn.kit.discover import load, names

CONTROLLERS = registry()


def test_names_are_unique() -> None:
    found = [controller.name for controller in CONTROLLERS.values()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("module", CONTROLLERS)
class TestController:
    def controller(self, module: str) -> Controller:
        return CONTROLLERS[module]

    def test_name_can_be_an_identity(self, module: str) -> None:
        """It becomes a service account of kube-system and the name of a gate."""
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", self.controller(module).name)

    def test_it_watches_something_and_each_resource_once(self, module: str) -> None:
        controller = self.controller(module)
        watched = [watch.resource.group_resource for watch in controller.watches]
        assert watched or controller.setup is not None
        assert len(set(watched)) == len(watched)

    def test_resources_are_spelt_as_the_kinds_spell_them(self, module: str) -> None:
        for watch in self.controller(module).watches:
            resource = watch.resource
            assert resource.kind.lower() in names("kubelearn.api.kinds")
            kind = load("kubelearn.api.kinds", resource.kind.lower(), "KIND", object)
            real = kind.resource  # type: ignore[attr-defined]
            for part in ("group", "version", "kind", "plural", "namespaced"):
                assert getattr(resource, part) == getattr(real, part)

    def test_reconcile_takes_a_context_and_a_key(self, module: str) -> None:
        controller = self.controller(module)
        assert inspect.iscoroutinefunction(controller.reconcile)
        assert list(inspect.signature(controller.reconcile).parameters) == ["context", "key"]

    def test_it_runs_with_a_cluster_s_options(self, module: str) -> None:
        options = Options(root_ca="PEM", legacy_token=lambda _account, _secret: "", cluster_cidr="10.1.0.0/16")
        assert self.controller(module).enabled(options)

    def test_it_says_why_it_exists(self, module: str) -> None:
        source = inspect.getmodule(self.controller(module).reconcile)
        assert source is not None
        assert source.__doc__
        assert "Source: Kubernetes'" in " ".join(source.__doc__.split()) or "pkg/controller" in source.__doc__
