from __future__ import annotations

from kubelearn.kit.underlay import Underlay, prefix_for


def test_cluster_addresses_lie_on_the_loopback() -> None:
    net = Underlay(prefix_for(244))
    assert net.dial("10.244.1.5", 8080) == ("127.116.1.5", 8080)
    assert net.dial("10.244.0.1", 53) == ("127.116.0.1", 61053)
    assert net.dial("10.96.0.10", 53) == ("10.96.0.10", 53)
    assert net.dial("192.0.2.1", 80) == ("192.0.2.1", 80)
    assert net.reverse("127.116.1.5", "10.244.3.0/24") == "10.244.1.5"


def test_without_a_prefix_every_address_is_what_it_says() -> None:
    assert Underlay("").dial("10.244.1.5", 80) == ("10.244.1.5", 80)
    assert Underlay("").reverse("10.244.1.5", "10.244.0.0/16") == "10.244.1.5"
