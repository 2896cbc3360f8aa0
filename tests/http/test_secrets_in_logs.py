"""No token, no password and no query is in the log."""

import asyncio
import contextlib
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError

from tests.support.api_tokens import make_token
from tests.support.http import Client
from tests.support.raw_http import raw_connection
from tests.support.team import Member, sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


SECRET = "Sesame0pen"


async def do_everything_wrong_with_secrets(
    client: Client, ann: Member, connect_to: Any, process: Any, api_token: str, calendar: str
) -> None:
    """Whatever makes a server complain, with a secret wherever one may be."""
    json_type = {"Content-Type": "application/json"}
    await client.post("/login/", json={"email": "ann", "password": SECRET})
    await client.post("/login/", form={"email": "ann", "password": SECRET})
    await client.post("/login/", body=f'{{"password": "{SECRET}"'.encode(), headers=json_type)
    await client.post("/login/", body=SECRET.encode(), headers={"Content-Type": SECRET})
    await client.get(f"/api/nothing/?token={SECRET}", token=SECRET)
    await client.get(f"{MESSAGES}?room_id={SECRET}&token={ann.access}", token=ann.access)
    await client.get(f"/media/x?signature={SECRET}&expires=1&token={ann.access}")
    await client.get(f"/api/users/%ff/?token={SECRET}")
    await client.get(f"/ws/chat/?token={SECRET}")
    await client.get(f"/api/nothing/{api_token}", token=f"{api_token}x")
    await client.delete(f"/api/users/profile/tokens/{api_token}/", token=ann.access)
    await client.get(f"/api/users/profile/?token={api_token}")
    await client.get(calendar)
    await client.get(calendar.replace("trcal", "trc%61l") + "/x.ics")
    for query in (f"token={SECRET}", f"token=%ff{SECRET}", f"token={ann.access}%ff", f"since={SECRET}"):
        socket = await connect_to(process, f"/ws/chat/?{query}")
        with contextlib.suppress(WebSocketClosedError):
            await socket.send(SECRET)
            await socket.send({"type": "auth", "token": SECRET})
        await socket.closed()
    for path in (f"/ws/chat/%ff/?token={SECRET}", f"/ws/chat/1/%ff?token={ann.access}"):
        with pytest.raises(HTTPClientError):
            await connect_to(process, path)
    for text in (
        f"GET /?token={SECRET} HTTP/9.9\r\nHost: x\r\n\r\n",
        f"GET /?token={SECRET}\r\nHost: x\r\n\r\n",
        f"{SECRET}\r\n\r\n",
        f"GET /{SECRET} x HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\x01\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nno header at all\r\nCookie: access={SECRET}\r\n\r\n",
        f"GET /?token={SECRET} HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: {SECRET}\r\n\r\n",
        f"POST /?token={SECRET} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n\r\n",
    ):
        async with raw_connection(process.url) as connection:
            await connection.send(text.encode())
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(connection.reader.read(1), 5)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.gen_test
async def test_no_token_password_or_query_reaches_the_log(start_process, new_client, connect_to, log_format):
    process = start_process(log_format=log_format)
    client = new_client(process)
    [ann] = await sign_up(client, "ann")
    api_token = (await make_token(ann))["token"]
    url = (await ann.post(f"{PROFILE}calendar/")).expect(201).json["url"]
    calendar = "/api/calendar/" + url.rpartition("/")[2]
    await do_everything_wrong_with_secrets(client, ann, connect_to, process, api_token, calendar)
    (await client.get(calendar)).expect(200)
    process.stop()
    log = process.log_text()
    assert "/api/nothing/" in log
    of_requests = (SECRET, ann.access, ann.access[:25], "?token", "signature=")
    for secret in (api_token[10:], calendar[-20:], "trc%61l", *of_requests):
        found = [line for line in log.splitlines() if secret in line]
        assert not found, secret
