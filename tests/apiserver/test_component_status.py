"""componentstatuses: the control plane's parts, asked how they are."""

from __future__ import annotations

import asyncio

import pytest
from support.api import Api

from kubelearn.controllers.base import Controller
from kubelearn.controllers.manager import Manager
from kubelearn.kit.tasks import Tasks
from kubelearn.store.interface import StoreError

ROOT = "/api/v1/componentstatuses"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


async def test_every_part_says_how_it_is(api: Api) -> None:
    api.server.probes |= {"scheduler": lambda: "", "controller-manager": lambda: "ended: job"}
    answer = await api.send("GET", ROOT, headers=TABLE)
    assert answer.headers["warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"'
    table = await api.ok("GET", ROOT, headers=TABLE)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Status", "Message", "Error"]
    assert [row["cells"] for row in table["rows"]] == [
        ["scheduler", "Healthy", "ok", ""],
        ["controller-manager", "Unhealthy", "", "ended: job"],
        ["etcd-0", "Healthy", "ok", ""],
    ]
    found = await api.ok("GET", f"{ROOT}/etcd-0")
    assert found == {
        "kind": "ComponentStatus",
        "apiVersion": "v1",
        "metadata": {"name": "etcd-0"},
        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
    }
    chosen = await api.ok("GET", f"{ROOT}?fieldSelector=metadata.name=scheduler")
    assert (chosen["kind"], [i["metadata"]["name"] for i in chosen["items"]]) == ("ComponentStatusList", ["scheduler"])


async def test_what_is_not_there_is_not_healthy(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_key: str) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(api.server.store, "get", full)
    items = (await api.ok("GET", ROOT))["items"]
    assert [item["conditions"][0] for item in items] == [
        {"type": "Healthy", "status": "False", "error": "the scheduler has not been started"},
        {"type": "Healthy", "status": "False", "error": "the controller-manager has not been started"},
        {"type": "Healthy", "status": "False", "error": "the store does not answer"},
    ]


async def test_it_is_only_read(api: Api) -> None:
    status, found = await api("GET", f"{ROOT}/kubelet")
    assert (status, found["message"]) == (500, "Component not found: kubelet")
    assert (await api("DELETE", f"{ROOT}/etcd-0"))[0] == 405
    assert (await api("GET", f"{ROOT}?watch=1"))[0] == 405
    assert (await api("GET", f"{ROOT}/etcd-0/status"))[0] == 404
    listed = {r["name"]: r for r in (await api.ok("GET", "/api/v1"))["resources"]}["componentstatuses"]
    assert listed == {
        "name": "componentstatuses",
        "singularName": "componentstatus",
        "namespaced": False,
        "kind": "ComponentStatus",
        "verbs": ["get", "list"],
        "shortNames": ["cs"],
    }


async def test_a_manager_tells_of_controllers_that_ended() -> None:
    async def breaks(_context: object) -> None:
        raise RuntimeError("setup failed")

    async def nothing(_context: object, _key: str) -> None: ...

    broken = Controller("broken", (), nothing, setup=breaks)
    manager = Manager(lambda _name: None, controllers=[broken, Controller("good", (), nothing)])  # type: ignore[arg-type,return-value]
    assert manager.problem() == "no controller has been started"
    failed = asyncio.Event()
    async with Tasks("test", on_error=lambda _name, _error: failed.set()) as tasks:
        await manager.start(tasks)
        await asyncio.wait_for(failed.wait(), 5)
        assert manager.problem() == "ended: broken; see the cluster's log"
