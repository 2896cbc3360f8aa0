"""Tokens: what they say, and which are refused."""

import base64
import time

import jwt
import pytest

from models.errors import TokenNotValid
from models.tokens import ACCESS, REFRESH, TokenMaker

SECRET = "a secret for tests only, long enough for each of the algorithms that must not be taken"


@pytest.fixture
def maker():
    return TokenMaker(SECRET, access_life_s=60, refresh_life_s=3600)


def claims(**changes):
    moment = int(time.time())
    made = {"token_type": ACCESS, "exp": moment + 60, "iat": moment, "user_id": 7, "sub": "7", "sid": "s1"}
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(key=SECRET, algorithm="HS256", headers=None, **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def forged(header):
    """A token with this header, which is read before any signature is."""
    part = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    return f"{part}.e30.c2ln"


def test_a_token_says_what_the_documents_clients_read(maker):
    token = maker.make(ACCESS, 7, "s1")
    content = jwt.decode(token, options={"verify_signature": False})
    assert {name: content[name] for name in ("token_type", "user_id", "sub", "sid")} == {
        "token_type": "access",
        "user_id": 7,
        "sub": "7",
        "sid": "s1",
    }
    assert content["exp"] - content["iat"] == 60
    assert (
        content["jti"] != jwt.decode(maker.make(ACCESS, 7, "s1"), options={"verify_signature": False})["jti"]
    )
    assert maker.session_of(token, ACCESS) == "s1"
    assert maker.session_of(maker.make(REFRESH, 7, "s1"), REFRESH) == "s1"


BAD_TOKENS = {
    "empty": "",
    "no token": "hello",
    "two dots": "..",
    "not ASCII": "ü.ü.ü",
    "a NUL": "\x00",
    "another secret's": signed(key=SECRET + "!"),
    "another algorithm's": signed(algorithm="HS512"),
    "unsigned": signed(key=None, algorithm="none"),
    "cut off": signed()[:-3],
    "expired": signed(exp=int(time.time()) - 1),
    "without an end": signed(exp=None),
    "without a session": signed(sid=None),
    "with a number as session": signed(sid=7),
    "without a type": signed(token_type=None),
    "of another type": signed(token_type=REFRESH),
    "of no type": signed(token_type=["access"]),
    "with words as its end": signed(exp="soon"),
    "with a number as subject": signed(sub=7),
    "with an unknown extension": signed(headers={"crit": ["x"], "x": 1}),
    "with a header that is a list": forged("[]"),
    "with a huge number in its header": forged('{"alg": ' + "9" * 6000 + "}"),
    "with a deep header": forged("[" * 20_000),
    "with a header that is no text": "_w.e30.c2ln",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused_as_such(maker, token):
    with pytest.raises(TokenNotValid) as refused:
        maker.session_of(token, ACCESS)
    assert refused.value.code == "token_not_valid"


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(maker):
    for made, wanted in ((ACCESS, REFRESH), (REFRESH, ACCESS)):
        with pytest.raises(TokenNotValid):
            maker.session_of(maker.make(made, 7, "s1"), wanted)
        with pytest.raises(TokenNotValid):
            maker.expired_session_of(maker.make(made, 7, "s1"), wanted)


def test_an_expired_token_is_enough_to_end_one_s_own_session_and_a_forged_one_is_not(maker):
    expired = claims(exp=1)
    assert maker.expired_session_of(jwt.encode(expired, SECRET), ACCESS) == "s1"
    with pytest.raises(TokenNotValid):
        maker.expired_session_of(jwt.encode(expired, SECRET + "!"), ACCESS)


def test_a_token_of_a_clock_that_is_ahead_is_fine(maker):
    assert maker.session_of(signed(iat=int(time.time()) + 300), ACCESS) == "s1"
