"""What the headers of a handshake say: which credential counts, which subprotocol is taken."""

from http.cookies import SimpleCookie

import pytest

from realtime.sockets.handshake import chosen_subprotocol, credential, is_handshake, query_value

HERE = "http://here"
HANDSHAKE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "WebSocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
EVERY_WAY = {
    "Sec-WebSocket-Protocol": "bearer, by-protocol",
    "Authorization": "Bearer by-header",
    "Origin": HERE,
}


def token(headers=(), cookie="", query=()):
    return credential(
        dict(headers), SimpleCookie(cookie), {"token": list(query)} if query else {}, lambda one: one == HERE
    )


def test_the_first_way_that_is_there_wins():
    headers, found = dict(EVERY_WAY), []
    for name in ("Sec-WebSocket-Protocol", "Authorization", "Origin"):
        found.append(token(headers, "access=by-cookie", [b"by-query"]))
        del headers[name]
    found.append(token(headers, "access=by-cookie", [b"by-query"]))
    assert found == ["by-protocol", "by-header", "by-cookie", "by-query"]


def test_nothing_is_nobody():
    assert token() is None


@pytest.mark.parametrize("origin", [None, "http://elsewhere", "null", ""])
def test_a_cookie_counts_for_a_page_of_ours_only(origin):
    """A browser sends it along whatever page opens the socket."""
    headers = {} if origin is None else {"Origin": origin}
    assert token(headers, "access=by-cookie") is None
    assert token({"Origin": HERE}, "access=by-cookie") == "by-cookie"


@pytest.mark.parametrize("cookie", ["", "access=", "other=by-cookie"])
def test_a_cookie_without_a_token_leaves_the_query(cookie):
    assert token({"Origin": HERE}, cookie, [b"by-query"]) == "by-query"


@pytest.mark.parametrize(
    ("offered", "found"),
    [("a, b", "a"), ("bearer,a", "a"), ("a,bearer", "a"), ("bearer", None), (", ,", None), (" a ", "a")],
)
def test_the_token_is_the_subprotocol_that_is_not_bearer(offered, found):
    assert token({"Sec-WebSocket-Protocol": offered}) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [("Bearer a", "a"), ("bearer  a ", "a"), ("Basic a", None), ("Bearer", ""), ("", None), ("a", None)],
)
def test_an_authorization_of_another_scheme_is_none(header, found):
    assert token({"Authorization": header}) == found


def test_the_last_value_of_a_query_counts_and_is_text_whatever_it_is():
    assert query_value({"since": [b"1", b"2"]}, "since") == "2"
    assert query_value({"since": [b"\xff"]}, "since") == "\ufffd"
    assert query_value({}, "since") is None


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([], None),
        (["bearer", "a"], "bearer"),
        (["a", "bearer"], "bearer"),
        (["a.b.c", "d"], "a.b.c"),
        (["a b", "c"], None),
        (["tök"], None),
    ],
)
def test_an_offer_is_taken_where_it_can_be_echoed(offered, taken):
    assert chosen_subprotocol(offered) == taken


def test_a_handshake_has_all_its_headers():
    assert is_handshake(HANDSHAKE)
    for name in HANDSHAKE:
        assert not is_handshake({key: value for key, value in HANDSHAKE.items() if key != name})
        assert not is_handshake(HANDSHAKE | {name: "12"}) or name == "Sec-WebSocket-Key"
