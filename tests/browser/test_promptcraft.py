"""Promptcraft's own snippets, unchanged, in a real browser on another origin; and sign-in at a provider."""

import re
import time

import jwt
import pytest
from playwright.async_api import expect
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from models.operations import accounts
from models.operations.accounts import NewPerson
from models.passwords import hash_password
from models.sessions import Session
from tests.conftest import SECRET_KEY
from tests.support.database import sqlite_only
from tests.support.npm import DOCUMENTS, axios
from tests.support.provider import StandInProvider
from tests.support.waiting import eventually

pytestmark = sqlite_only
# What the snippets leave to the frontend.
PAGE = """<!doctype html><title>Frontend</title>
<script type="importmap">{"imports": {"axios": "/axios.js"}}</script>
<script>
  window.process = {env: {REACT_APP_API_URL: "%(api)s", REACT_APP_WS_URL: "%(ws)s"}};
  window.API_BASE = "%(api)s";
  window.tokens = {access: null, refresh: null};
  window.signedOut = 0;
  window.getAccessToken = () => tokens.access;
  window.setAccessToken = (token) => { tokens.access = token; };
  window.getRefreshToken = () => tokens.refresh;
  window.signOutFrontend = () => { signedOut += 1; };
</script>
<script type="module">import api from "/d_axios.js"; window.api = api;</script>
"""
RUN = "(text) => new (Object.getPrototypeOf(async function () {}).constructor)(text)()"


def snippet(name):
    return (DOCUMENTS / name).read_text()


@pytest.fixture(scope="session")
def axios_source(tmp_path_factory):
    return axios(tmp_path_factory.mktemp("npm"))


class Frontend:
    """Another origin, which serves promptcraft's client. Its page's server really is on loopback: browsers
    let no page from elsewhere call there."""

    def __init__(self, axios_source):
        self.texts = {"axios.js": axios_source, "d_axios.js": snippet("d_axios.js")}

    def start(self):
        (socket,) = bind_sockets(0, "127.0.0.1")
        self.origin = f"http://localhost:{socket.getsockname()[1]}"
        self._server = HTTPServer(Application([(r"/(.*)", _File, {"texts": self.texts})]))
        self._server.add_sockets([socket])

    async def stop(self):
        self._server.stop()
        await self._server.close_all_connections()


class _File(RequestHandler):
    def initialize(self, texts):
        self.texts = texts

    def get(self, path):
        self.set_header("Content-Type", "text/javascript" if path.endswith(".js") else "text/html")
        self.finish(self.texts.get(path, ""))


@pytest.fixture
def frontend(io_loop, axios_source):
    served = Frontend(axios_source)

    async def start():
        served.start()

    io_loop.run_sync(start)
    yield served
    io_loop.run_sync(served.stop)


@pytest.fixture
def app(browser, start_app, frontend, io_loop):
    """A server that knows the frontend's origin."""
    return io_loop.run_sync(lambda: start_app(cors_origins=frontend.origin, throttle_refresh="30/minute"))


@pytest.fixture
def open_frontend(new_page, frontend):
    """await open_frontend(app) -> a page of the other origin with promptcraft's client for the server."""

    async def open_page(app):
        urls = {"api": f"http://127.0.0.1:{app.port}", "ws": f"ws://127.0.0.1:{app.port}"}
        frontend.texts[""] = PAGE % urls
        page = await new_page()
        await page.goto(f"{frontend.origin}/")
        await page.wait_for_function("() => Boolean(window.api)")
        return page

    return open_page


@pytest.fixture
def me(app, io_loop):
    """The person of the document, whose password is too short to be registered with."""
    person = NewPerson("me@example.org", "me", hash_password("secret"), "Me")
    return io_loop.run_sync(lambda: app.store.write(lambda: accounts.create_person(person).to_json()))


async def log_in(page):
    answer = await page.evaluate(
        f"async (text) => {{ const answer = await ({RUN})('return ' + text); return answer.json(); }}",
        snippet("d_log_in.js"),
    )
    await page.evaluate(
        "(given) => { tokens.access = given.access; tokens.refresh = given.refresh; }", answer
    )
    return answer


PROFILE = "api.get('/api/v2/auth/profile/').then((answer) => answer.data)"


@pytest.mark.gen_test
async def test_logging_in_and_calling(app, open_frontend, me):
    page = await open_frontend(app)
    answer = await log_in(page)
    assert answer.keys() == {"access", "refresh", "user"} and answer["user"]["email"] == "me@example.org"
    assert (await page.evaluate(PROFILE))["id"] == me["id"]


@pytest.mark.gen_test
async def test_an_expired_token_is_refreshed_once_and_the_call_repeated(app, open_frontend, me):
    page = await open_frontend(app)
    answer = await log_in(page)
    claims = jwt.decode(answer["access"], SECRET_KEY, algorithms=["HS256"])
    expired = jwt.encode(claims | {"exp": int(time.time()) - 5}, SECRET_KEY, algorithm="HS256")
    await page.evaluate("(token) => setAccessToken(token)", expired)
    assert (await page.evaluate(PROFILE))["id"] == me["id"]
    assert await page.evaluate("tokens.access") not in (expired, None)
    assert await page.evaluate("signedOut") == 0


@pytest.mark.gen_test
async def test_a_dead_session_signs_the_frontend_out(app, open_frontend, me):
    """Its interceptor also catches the refusal of its own refresh, and would go round for ever."""
    page = await open_frontend(app)
    await log_in(page)
    await app.store.write(lambda: Session.delete().execute())
    status = await page.evaluate(f"{PROFILE}.catch((error) => error.response.status)")
    assert status == 429
    await page.wait_for_function("signedOut >= 1")


@pytest.mark.gen_test
async def test_the_plain_web_socket(app, open_frontend, me, new_page):
    page = await open_frontend(app)
    await log_in(page)
    await page.evaluate(RUN, snippet("d_web_socket.js"))
    await eventually(lambda: any("msg" in line and '"health"' in line for line in new_page.console))
    assert any("ws open" in line for line in new_page.console)


@pytest.mark.gen_test
async def test_the_endpoints_of_its_start_answer_the_page(app, open_frontend):
    page = await open_frontend(app)
    for path in (
        "/health/",
        "/api/v2/core/health/",
        "/api/v1/core/health/",
        "/api/v2/core/config/",
        "/api/v2/chat/health/",
        "/api/v2/auth/social/providers/",
    ):
        assert await page.evaluate("(path) => api.get(path).then((answer) => answer.status)", path) == 200
    # An error reaches the page as an error and not as a blocked request.
    for path, status in (("/api/v2/auth/social/google/initiate/", 404), ("/nowhere/", 404)):
        answer = await page.evaluate("(path) => api.get(path).catch((error) => error.response.status)", path)
        assert answer == status


@pytest.mark.gen_test
async def test_a_page_of_a_stranger_reads_nothing(browser, start_app, open_frontend):
    page = await open_frontend(await start_app())
    failure = await page.evaluate("api.get('/api/v2/core/config/').catch((error) => error.code)")
    assert failure == "ERR_NETWORK"


# Sign-in at a provider


@pytest.fixture
def provider(io_loop):
    stand_in = StandInProvider()

    async def start():
        stand_in.start()

    io_loop.run_sync(start)
    yield stand_in
    io_loop.run_sync(stand_in.stop)


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["google", "github", "oidc"])
async def test_a_browser_signs_in_at_a_provider(browser, start_app, new_page, provider, name):
    app = await start_app(**provider.settings(name))
    url = f"http://127.0.0.1:{app.port}"
    page = await new_page(base_url=url)
    await page.goto("/api/v2/auth/social/providers/")
    (listed,) = (await page.evaluate("JSON.parse(document.body.innerText)"))["providers"]
    await page.goto(f"{listed['initiate_url']}?next=/api/v2/auth/profile/")
    await expect(page).to_have_title("Provider")
    await expect(page).to_have_url(re.compile(re.escape(provider.url)))
    await page.click("#agree")
    await page.wait_for_url(f"{url}/api/v2/auth/profile/")
    user = await page.evaluate("JSON.parse(document.body.innerText)")
    assert user["email"] == "ada@example.org" and user["full_name"] == "Ada Lovelace"
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies(url + "/api/auth/")}
    assert cookies.keys() == {"access", "refresh", "signed_in"}, "what bound the attempt is gone"
    assert not cookies.pop("signed_in")["httpOnly"], "a script may see that there is a session"
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values())


@pytest.mark.gen_test
async def test_a_browser_that_comes_back_twice_is_told_why(browser, start_app, new_page, provider):
    app = await start_app(**provider.settings("oidc"))
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    returns = []
    page.on("request", lambda request: returns.append(request.url) if "/callback/" in request.url else None)
    await page.goto("/api/v2/auth/social/oidc/initiate/")
    await page.click("#agree")
    await page.wait_for_url("**/")
    answer = await page.goto(returns[0])
    assert answer.status == 400 and "state" in await answer.json()
