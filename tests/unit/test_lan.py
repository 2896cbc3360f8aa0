"""What a server of a LAN says of itself: its addresses, and its name by multicast DNS."""

import asyncio
import secrets
from types import SimpleNamespace

import pytest

from command_line import addresses
from lan import addresses as lan_addresses
from lan import announcement
from lan.announcement import Announcement, NotAnnounced, announce
from settings import Settings
from tests.support.waiting import eventually

HERE = ["127.0.0.1"]


@pytest.fixture
def names(monkeypatch):
    """Names that nobody else on the network, and no other test, has."""
    mine = f"taskroom-test-{secrets.token_hex(6)}"
    names = (f"{mine}.local", f"{mine}-2.local")
    monkeypatch.setattr(announcement, "NAMES", names)
    return names


def ask(name):
    """The addresses that a colleague's machine finds."""
    from zeroconf import AddressResolver, DNSQuestionType, IPVersion, Zeroconf

    zeroconf = Zeroconf(interfaces=HERE, ip_version=IPVersion.V4Only)
    try:
        resolver = AddressResolver(f"{name}.")
        resolver.request(zeroconf, 1500, question_type=DNSQuestionType.QM)
        return resolver.parsed_addresses()
    finally:
        zeroconf.close()


def test_a_name_leads_here_and_is_given_back_and_the_next_server_gets_the_next_one(names):
    first, second, third = (Announcement(HERE, 8000 + number, False) for number in range(3))
    try:
        assert first.start() == names[0]
        assert ask(names[0]) == HERE
        assert second.start() == names[1]
        with pytest.raises(NotAnnounced, match="others on the network have"):
            third.start()
    finally:
        for one in (first, second, third):
            one.stop()
    assert ask(names[0]) == []


@pytest.mark.gen_test
async def test_announcing_keeps_nobody_waiting_and_ends_with_the_server(names, monkeypatch):
    monkeypatch.setattr(announcement, "colleagues_addresses", lambda host: HERE)
    said = []
    task = asyncio.create_task(announce(Settings(host="0.0.0.0"), 8000, said.append))
    await eventually(lambda: said)
    assert said == [names[0]]
    task.cancel()
    await asyncio.wait([task])
    assert await asyncio.to_thread(ask, names[0]) == []


@pytest.mark.gen_test
async def test_a_network_without_multicast_is_one_line(names, monkeypatch, caplog):
    monkeypatch.setattr(announcement, "colleagues_addresses", lambda host: ["203.0.113.77"])
    monkeypatch.setattr(announcement, "LOOK_EVERY_S", 0)
    task = asyncio.create_task(announce(Settings(host="0.0.0.0"), 8000, lambda name: None))
    await eventually(lambda: caplog.records)
    task.cancel()
    await asyncio.wait([task])
    (record,) = caplog.records
    assert record.getMessage().startswith("taskroom.local is not announced on the network: ")


ADAPTERS = {
    "lo": ["127.0.0.1", ("::1", 0, 0)],
    "br-5d1f": ["172.18.0.1"],
    "docker0": ["172.17.0.1"],
    "eth0": ["192.168.1.20", ("fd00::20", 0, 0), ("fe80::1", 0, 2)],
    "wlan0": ["192.168.1.21"],
}


@pytest.fixture
def adapters(monkeypatch, tmp_path):
    import ifaddr

    found = [
        SimpleNamespace(nice_name=name, ips=[SimpleNamespace(ip=ip) for ip in ips])
        for name, ips in ADAPTERS.items()
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: found)
    routes = tmp_path / "route"
    routes.write_text("Iface Destination Gateway\neth0 0001A8C0 0\nwlan0 00000000 0101A8C0\n")
    monkeypatch.setattr(lan_addresses, "_ROUTES", routes)


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("0.0.0.0", ["192.168.1.21", "192.168.1.20", "172.18.0.1", "172.17.0.1", "localhost"]),
        ("::", ["[fd00::20]", "localhost"]),
        ("192.168.1.20", ["192.168.1.20"]),
        ("127.0.0.1", ["127.0.0.1"]),
    ],
)
def test_addresses_that_colleagues_can_type_come_first_and_others_than_it_listens_on_never(
    adapters, host, hosts
):
    assert addresses(Settings(host=host), 8000) == [f"http://{one}:8000" for one in hosts]


def test_a_service_that_may_not_ask_for_addresses_serves_all_the_same(monkeypatch):
    import ifaddr

    def refuse():
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(ifaddr, "get_adapters", refuse)
    assert addresses(Settings(host="0.0.0.0"), 8000) == ["http://localhost:8000"]
    assert lan_addresses.colleagues_addresses("0.0.0.0") == []


def test_containers_are_told_of_no_name(adapters):
    assert lan_addresses.colleagues_addresses("0.0.0.0") == ["192.168.1.21", "192.168.1.20"]
    assert lan_addresses.colleagues_addresses("127.0.0.1") == []
