"""The nftables proxy's rules and routes, as text."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.node.proxy import _nft_rules as rules
from kubelearn.node.proxy import _routes
from kubelearn.node.proxy._nft_rules import Place, Ruleset, ruleset

PLACE = Place("worker-1", "10.244.0.2", "10.244.1.0/24", frozenset({"10.244.2.0/24"}))
SERVICE_CHAIN = "service-PFISGYVC-default/web/tcp/"
Obj = dict[str, Any]


def service(name: str = "web", ip: str = "10.96.0.7", **spec: Any) -> Obj:
    return {
        "metadata": {"namespace": "default", "name": name},
        "spec": {"clusterIP": ip, "ports": [{"port": 80, "protocol": "TCP"}], **spec},
    }


def endpoint_slice(*endpoints: tuple[str, str] | Obj, name: str = "web", port: int = 8080, **port_more: Any) -> Obj:
    return {
        "metadata": {
            "namespace": "default",
            "name": name + "-abcde",
            "labels": {"kubernetes.io/service-name": name},
        },
        "ports": [{"port": port, "protocol": "TCP", **port_more}],
        "endpoints": [
            e if isinstance(e, dict) else {"addresses": [e[0]], "nodeName": e[1], "conditions": {"ready": True}}
            for e in endpoints
        ],
    }


TWO = endpoint_slice(("10.244.1.5", "worker-1"), ("10.244.2.6", "worker-2"))


def chain(found: Ruleset, prefix: str) -> list[str]:
    (name,) = [name for name in found.chains if name.startswith(prefix)]
    return found.chains[name]


def test_a_service_is_spread_over_its_endpoints() -> None:
    found = ruleset([service()], [TWO], PLACE)
    assert found.elements["service-ips"] == [f"10.96.0.7 . tcp . 80 : goto {SERVICE_CHAIN}"]
    assert found.elements["cluster-ips"] == ["10.96.0.7"]
    outside, spread = found.chains[SERVICE_CHAIN]
    assert outside == "ip daddr 10.96.0.7 ip saddr != 10.244.1.0/24 jump mark-for-masquerade"
    assert re.fullmatch(r"numgen random mod 2 vmap \{ 0 : goto endpoint-\S+, 1 : goto endpoint-\S+ \}", spread)
    (one,) = [r for n, r in found.chains.items() if n.endswith("__10.244.2.6/8080")]
    assert one == ["ip saddr 10.244.2.6 jump mark-for-masquerade", "meta l4proto tcp dnat to 10.244.2.6:8080"]


def test_what_is_not_a_pod_answers_by_way_of_the_node() -> None:
    api = endpoint_slice(("10.244.0.1", ""), port=6443)
    assert chain(ruleset([service()], [api], PLACE), "endpoint-")[0] == "jump mark-for-masquerade"


def test_nobody_ready_is_refused() -> None:
    sick = endpoint_slice({"addresses": ["10.244.1.5"], "conditions": {"ready": False, "serving": False}})
    for slices in ([], [sick], [endpoint_slice()]):
        found = ruleset([service()], slices, PLACE)
        assert found.elements["no-endpoint-services"] == ["10.96.0.7 . tcp . 80 : goto reject-chain"]
        assert found.elements["service-ips"] == []
        assert found.chains == {}


def test_those_that_end_serve_while_there_is_nobody_else() -> None:
    ending = {"addresses": ["10.244.1.9"], "conditions": {"ready": False, "serving": True, "terminating": True}}
    assert "dnat to 10.244.1.9:8080" in ruleset([service()], [endpoint_slice(ending)], PLACE).script(None)
    both = endpoint_slice(ending, ("10.244.1.5", "worker-1"))
    assert "10.244.1.9" not in ruleset([service()], [both], PLACE).script(None)


def test_ports_are_matched_by_name_and_protocol() -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    slices = [
        endpoint_slice(("10.244.0.1", ""), port=53, name="web", protocol="UDP")
        | {
            "ports": [
                {"name": "dns", "protocol": "UDP", "port": 53},
                {"name": "dns-tcp", "protocol": "TCP", "port": 54},
            ]
        }
    ]
    script = ruleset([service(ports=ports)], slices, PLACE).script(None)
    assert "meta l4proto udp dnat to 10.244.0.1:53\n" in script
    assert "meta l4proto tcp dnat to 10.244.0.1:54\n" in script


def test_headless_and_external_services_have_no_rules() -> None:
    services = [service(ip="None"), service("x", ip=""), {**service("y"), "spec": {"type": "ExternalName"}}]
    assert ruleset(services, [TWO], PLACE).chains == {}


def test_node_ports_stand_for_the_caller() -> None:
    ports = [{"port": 80, "nodePort": 30080}]
    found = ruleset([service(type="NodePort", ports=ports)], [TWO], PLACE)
    assert found.elements["service-nodeports"] == ["tcp . 30080 : goto external-PFISGYVC-default/web/tcp/"]
    assert found.elements["nodeport-ips"] == ["10.244.0.2"]
    masquerade, choose = chain(found, "external-")
    assert (masquerade, choose.split("-")[0]) == ("jump mark-for-masquerade", "goto service")


def test_local_policies_keep_to_the_nodes_own_pods() -> None:
    spec: Obj = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}], "externalTrafficPolicy": "Local"}
    found = ruleset([service(**spec)], [TWO], PLACE)
    (only,) = chain(found, "external-local-")
    assert "mod 1 " in only
    assert "10.244.1.5" in only
    nowhere = Place("worker-3", "10.244.0.4", "10.244.3.0/24")
    found = ruleset([service(**spec, internalTrafficPolicy="Local")], [TWO], nowhere)
    assert found.elements["no-endpoint-nodeports"] == ["tcp . 30080 : goto reject-chain"]
    assert found.elements["no-endpoint-services"] == ["10.96.0.7 . tcp . 80 : goto reject-chain"]


def test_affinity_goes_back_to_the_same_pod() -> None:
    config = {"clientIP": {"timeoutSeconds": 60}}
    found = ruleset([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], [TWO], PLACE)
    assert set(found.affinity.values()) == {60}
    remembered = [r for r in found.chains[SERVICE_CHAIN] if r.startswith("ip saddr @affinity-")]
    assert len(remembered) == 2
    chosen = [rules for name, rules in found.chains.items() if name.startswith("endpoint-")]
    assert chosen
    assert all(any(r.startswith("update @affinity-") for r in rules) for rules in chosen)


def test_a_change_removes_what_is_no_longer_there() -> None:
    before = ruleset([service(sessionAffinity="ClientIP")], [TWO], PLACE)
    script = ruleset([], [], PLACE).script(before)
    for name in before.chains:
        assert f"delete chain ip kube-proxy {name}\n" in script
    for name in before.affinity:
        assert f"delete set ip kube-proxy {name}\n" in script
    assert "delete table" not in script
    assert "delete table" in before.script(None)


@given(st.lists(st.sampled_from([f"10.244.{n}.{p}" for n in (1, 2) for p in range(2, 40)]), unique=True))
def test_every_endpoint_is_reached(ips: list[str]) -> None:
    found = ruleset([service()], [endpoint_slice(*((ip, "worker-1") for ip in ips))], PLACE)
    script = found.script(None)
    assert set(re.findall(r"dnat to (\S+):8080", script)) == set(ips)
    for target in re.findall(r"goto ((?:endpoint|service|external)-[^ ,\n]+)", script):
        assert target in found.chains


def test_names_fit_nftables() -> None:
    long = service("s" * 63, ports=[{"name": "p" * 15, "port": 80}])
    long["metadata"]["namespace"] = "n" * 63
    slices = endpoint_slice(("10.244.1.5", "worker-1"), name="s" * 63, name_="")
    slices["metadata"]["namespace"] = "n" * 63
    slices["ports"] = [{"name": "p" * 15, "port": 8080}]
    found = ruleset([long], [slices], PLACE)
    assert len(found.chains) == 2
    assert all(len(name) < 128 for name in found.chains)


def _nft_works() -> bool:
    if not shutil.which("nft"):
        return False
    return subprocess.run(["nft", "list", "tables"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _nft_works(), reason="needs nft and the right to use it")
def test_nft_takes_the_rules() -> None:
    spec: Obj = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}], "sessionAffinity": "ClientIP"}
    services = [service(**spec), service("nobody", "10.96.0.8")]
    script = ruleset(services, [TWO], PLACE).script(None)
    done = subprocess.run(["nft", "--check", "-f", "-"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_routes_lead_to_the_other_nodes() -> None:
    nodes = [
        {
            "metadata": {"name": f"worker-{n}"},
            "spec": {"podCIDR": f"10.244.{n}.0/24"},
            "status": {"addresses": [{"type": "InternalIP", "address": f"10.244.0.{n + 1}"}]},
        }
        for n in (1, 2, 3)
    ]
    nodes.append({"metadata": {"name": "new"}})
    assert _routes.wanted(nodes, "worker-1") == {"10.244.2.0/24": "10.244.0.3", "10.244.3.0/24": "10.244.0.4"}


def test_the_kernels_table_is_read() -> None:
    table = (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0100F40A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0000F40A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        "eth0\t0002F40A\t0300F40A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert _routes.parse(table) == {"0.0.0.0/0": "10.244.0.1", "10.244.2.0/24": "10.244.0.3"}


def test_the_fixed_rules_know_their_chains() -> None:
    named = set(rules._FIXED_RULES)
    for text in itertools.chain.from_iterable(rules._FIXED_RULES.values()):
        for target in re.findall(r"(?:jump|goto) (\S+)", text):
            assert target in named
