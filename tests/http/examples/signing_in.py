"""Registering, signing in and out, passwords, addresses, accounts elsewhere."""

import re
from urllib.parse import parse_qs, urlsplit

from tornado.httpclient import AsyncHTTPClient

from models.mail import Mail
from tests.http.examples.book import Book, Stage
from tests.support.http import PASSWORD

PROVIDER = "oidc"
CALLBACK = "GET /api/v2/auth/social/callback/"
INITIATE = "GET /api/v2/auth/social/{provider...}/initiate/"


async def tell(book: Book, stage: Stage) -> None:
    [boss] = await stage.newcomers("boss")
    registration = {"email": "ada@example.org", "password": PASSWORD, "username": "ada", "first_name": "Ada"}
    ada = (await book.show(None, "POST /api/register/", registration)).json["user"]
    log_in = {"username": "ada", "password": PASSWORD}
    given = (await book.show(None, "POST /api/auth/token/", log_in)).json
    await book.show(None, "POST /api/auth/token/", log_in | {"password": "wrong horse 7"}, status=401)
    await book.show(None, "POST /api/auth/token/refresh/", {"refresh": given["refresh"]})
    await show_accounts_elsewhere(book, stage)
    [member] = await stage.newcomers("ann")
    (await stage.client.post("/api/auth/token/", json={"username": "ann", "password": PASSWORD})).expect(200)
    listed = await book.show(member, "GET /api/auth/sessions/")
    old = next(one for one in listed.json["results"] if not one["is_current"])
    await book.show(member, "DELETE /api/auth/sessions/{id...}/", id=old["id"])
    await show_addresses(book, stage, member)
    await book.show(None, "POST /api/password-reset/", {"email": "ann@example.org"})
    link = (await boss.post(f"/api/users/{ada['id']}/reset_link/")).expect(200).json
    new = {"uid": link["uid"], "token": link["token"], "new_password": "another horse 8"}
    await book.show(None, "POST /api/password-reset/confirm/", new)
    words = {"current_password": PASSWORD, "new_password": "another horse 8"}
    await book.show(member, "POST /api/users/profile/password/", words)
    given = await stage.client.post(
        "/api/auth/token/", json={"username": "ann", "password": "another horse 8"}
    )
    await book.show(None, "POST /api/auth/logout/", {"refresh": given.json["refresh"]})


async def show_accounts_elsewhere(book: Book, stage: Stage) -> None:
    """An account whose address nobody has verified is joined by its password."""
    browser = stage.new_client(stage.app, cookies=True)
    await book.show(browser, "GET /api/v2/auth/social/providers/")
    sent = await book.show(browser, INITIATE, query={"next": "/board"}, provider=PROVIDER)
    page = urlsplit(sent.headers["Location"])
    agreed = await AsyncHTTPClient().fetch(
        f"{page.scheme}://{page.netloc}/agree?{page.query}", follow_redirects=False, raise_error=False
    )
    back = parse_qs(urlsplit(agreed.headers["Location"]).query)
    answer = await book.show(browser, CALLBACK, query={name: values[0] for name, values in back.items()})
    fragment = urlsplit(answer.headers["Location"]).fragment
    token = parse_qs(fragment.partition("?")[2])["token"][0]
    await book.show(browser, "POST /api/v2/auth/social/link/", {"token": token, "password": PASSWORD})


async def show_addresses(book: Book, stage: Stage, member) -> None:
    """The link in a mail verifies the address that it went to."""
    await book.show(member, "POST /api/users/profile/email/verify/")

    def newest() -> str:
        return Mail.select().where(Mail.recipient == "ann@example.org").order_by(Mail.id.desc()).get().body

    token = re.search(r"#verify\?token=(\S+)", await stage.app.store.read(newest))[1]
    await book.show(None, "POST /api/users/profile/email/confirm/", {"token": token})
