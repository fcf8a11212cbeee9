"""Services: addresses and node ports are handed out once, and given back."""

from __future__ import annotations

from typing import Any

from support.api import NS, Api

from kubelearn.api.resource import Obj

SERVICES = f"{NS}/services"


def service(name: str = "s", **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}], **spec}}


async def test_an_address_of_its_own(api: Api) -> None:
    made = [await api.ok("POST", SERVICES, service(f"s{n}")) for n in range(20)]
    addresses = {m["spec"]["clusterIP"] for m in made}
    assert len(addresses) == 20
    assert all(a.startswith("10.96.") for a in addresses)
    assert made[0]["spec"]["clusterIPs"] == [made[0]["spec"]["clusterIP"]]
    assert made[0]["spec"]["ipFamilies"] == ["IPv4"]


async def test_an_address_asked_for(api: Api) -> None:
    await api.ok("POST", SERVICES, service(clusterIP="10.96.7.7"))
    status, refused = await api("POST", SERVICES, service("t", clusterIP="10.96.7.7"))
    assert status == 422
    assert "provided IP is already allocated" in refused["message"]
    status, refused = await api("POST", SERVICES, service("t", clusterIP="10.1.1.1"))
    assert "The range of valid IPs is 10.96.0.0/16" in refused["message"]
    await api.ok("DELETE", f"{SERVICES}/s")
    await api.ok("POST", SERVICES, service("t", clusterIP="10.96.7.7"))


async def test_headless_and_external(api: Api) -> None:
    headless = await api.ok("POST", SERVICES, service(clusterIP="None"))
    assert headless["spec"]["clusterIPs"] == ["None"]
    external = await api.ok("POST", SERVICES, {"metadata": {"name": "e"}, "spec": {
        "type": "ExternalName", "externalName": "example.com"}})  # fmt: skip
    assert "clusterIP" not in external["spec"]


async def test_node_ports(api: Api) -> None:
    made = await api.ok("POST", SERVICES, service(type="NodePort"))
    port = made["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    status, refused = await api("POST", SERVICES, service("t", type="NodePort", ports=[{"port": 80, "nodePort": port}]))
    assert status == 422
    assert "provided port is already allocated" in refused["message"]
    _, kept = await api.patch(f"{SERVICES}/s", {"metadata": {"labels": {"a": "b"}}})
    assert kept["spec"]["ports"][0]["nodePort"] == port
    replaced = await api.ok("PUT", f"{SERVICES}/s", service(type="NodePort"))
    assert replaced["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert replaced["spec"]["ports"][0]["nodePort"] == port


async def test_a_dry_run_allocates_nothing(api: Api) -> None:
    await api.ok("POST", f"{SERVICES}?dryRun=All", service(clusterIP="10.96.7.7"))
    await api.ok("POST", SERVICES, service(clusterIP="10.96.7.7"))
