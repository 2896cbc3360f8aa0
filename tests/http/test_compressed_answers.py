"""Long lists are compressed for whoever takes them so, and for nobody whom another site could make ask."""

import gzip
import json

import pytest

from handlers.web.answering import MIN_COMPRESSED
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up

pytestmark = sqlite_only
PATH = "/api/chat/messages/"


@pytest.fixture
def asked_raw(io_loop, app):
    """await asked_raw(path, **headers) -> (headers, body), as they came over the wire."""
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    client = SimpleAsyncHTTPClient(force_instance=True)

    async def ask(path, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{app.port}{path}"
        answer = await client.fetch(url, headers=headers, decompress_response=False)
        return answer.headers, answer.body

    yield ask
    client.close()


@pytest.mark.gen_test
async def test_a_long_list_is_compressed_for_whoever_takes_it_so(client, asked_raw):
    ann, ben = await sign_up(client, "ann", "ben")
    room = await ann.group(ben)
    await ann.say(room, "long " * MIN_COMPRESSED)
    path = f"{PATH}?room_id={room}&mark_read=false"
    bearer = {"Authorization": f"Bearer {ann.access}"}

    headers, packed = await asked_raw(path, Accept_Encoding="gzip, br", **bearer)
    assert headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in headers["Vary"]
    plain_headers, plain = await asked_raw(path, **bearer)
    assert "Content-Encoding" not in plain_headers
    assert "Accept-Encoding" in plain_headers["Vary"]
    assert json.loads(gzip.decompress(packed)) == json.loads(plain)
    assert len(packed) < len(plain) / 10

    for refused in ("identity", "gzip;q=0", "br, gzip; q=0.0"):
        headers, _ = await asked_raw(path, Accept_Encoding=refused, **bearer)
        assert "Content-Encoding" not in headers, refused
    headers, _ = await asked_raw("/api/users/", Accept_Encoding="gzip", **bearer)
    assert "Content-Encoding" not in headers, "a short answer"


@pytest.mark.gen_test
async def test_a_cookie_alone_gets_no_answer_whose_length_tells_of_its_content(
    client, new_client, app, asked_raw
):
    """Another site can make a browser send its cookies: how long an answer becomes would tell that site
    whether what it has put into a room is also in what only the person may read."""
    ann, ben = await sign_up(client, "ann", "ben")
    room = await ann.group(ben)
    await ann.say(room, "long " * MIN_COMPRESSED)
    browser = new_client(app, cookies=True)
    (await browser.post("/api/auth/token/", json={"username": "ann", "password": PASSWORD})).expect(200)
    path = f"{PATH}?room_id={room}&mark_read=false"
    headers, body = await asked_raw(path, Accept_Encoding="gzip", Cookie=browser.jar.header(PATH))
    assert "Content-Encoding" not in headers
    assert json.loads(body)["results"]
