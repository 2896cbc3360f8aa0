"""Where webhooks may go: what is an address, and which machines are never asked."""

import socket

import pytest

from jobs import webhook_client
from jobs.webhook_client import AddressRefused
from models import webhook_addresses

GOOD = {
    "https://ci.example.org/hooks?key=7": "https://ci.example.org",
    " http://LOCALHOST:9000/x ": "http://localhost:9000",
    "http://192.168.1.7:80": "http://192.168.1.7",
    "https://[fd00::7]:8443/a": "https://[fd00::7]:8443",
    "https://[FD00:0:0::7]/": "https://[fd00::7]",
    "https://ci.example.org.:443/": "https://ci.example.org",
}
BAD = (
    "", "/hook", "ci.example.org", "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/",
    "javascript:alert(1)", "http://", "http:///x", "https://ann:secret@example.org/", "http://ann@127.0.0.1/",
    "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://[::1", "http://[x]/",
    "http://[fe80::1%25eth0]/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://127.1/",
    "http://0177.0.0.1/", "http://127.0.0.01/", "http://999.1.1.1/", "http://exa mple.org/", "http://exämple.org/",
    "http://example.org/\r\nX: y", "http://example.org\\@127.0.0.1/", "http://example.org/#x", "http://-a.org/",
    "http://a..b/", "http://" + "a" * 64 + "/", "http://example.org/" + "x" * 2000,
)  # fmt: skip
NEVER = ("0.0.0.0", "::", "169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1",
         "255.255.255.255", "240.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
         "::ffff:0.0.0.0")  # fmt: skip
HERE = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::1")
THERE = ("192.168.1.7", "10.0.0.1", "172.16.0.9", "fd00::7", "8.8.8.8", "2001:4860:4860::8888")


@pytest.mark.parametrize("text", GOOD)
def test_an_origin_is_spelt_one_way(text):
    assert webhook_addresses.origin_of(webhook_addresses.check_url(text)) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError) as refused:
        webhook_addresses.check_url(text)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("text", ["https://example.org/path", "https://example.org/?x=1"])
def test_an_origin_has_no_path(text):
    with pytest.raises(ValueError, match="only"):
        webhook_addresses.check_origin(text)


def test_some_addresses_are_never_asked_and_this_machine_only_if_a_setting_says_so():
    for address in NEVER:
        assert webhook_addresses.why_never(address, False, True), address
    for address in HERE:
        assert webhook_addresses.why_never(address, False, False), address
        assert webhook_addresses.why_never(address, False, True) is None, address
    for address in THERE:
        assert webhook_addresses.why_never(address, False, False) is None, address
        assert webhook_addresses.why_never(address, True, False), "an address of this machine's own"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost"])
def test_whatever_resolves_to_this_machine_is_refused_when_it_is_asked(host):
    """Also what a check of the text would not know for an address."""
    with pytest.raises(AddressRefused, match="this machine itself"):
        webhook_client._resolve(host, 80, socket.AF_UNSPEC, False)
    assert webhook_client._resolve(host, 80, socket.AF_UNSPEC, True)


@pytest.mark.parametrize(
    "addresses", [["::ffff:127.0.0.1"], ["192.0.2.7", "127.0.0.1"], ["169.254.169.254"], ["0.0.0.0"]]
)
def test_a_name_of_which_any_address_is_refused_is_refused(addresses, monkeypatch):
    def answer(host, port, family, kind):
        families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses]
        return [(family, kind, 6, "", (one, port)) for family, one in zip(families, addresses, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(AddressRefused):
        webhook_client._resolve("rebind.example.org", 80, socket.AF_UNSPEC, False)


def test_this_machine_knows_its_own_addresses():
    assert webhook_client._is_own(socket.AF_INET, "127.0.0.1")
    assert not webhook_client._is_own(socket.AF_INET, "192.0.2.7")
