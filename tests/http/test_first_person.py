"""Who may be the first person: at the machine itself anybody, from elsewhere whoever has the link."""

import asyncio
import socket

import psutil
import pytest

from models import first_person
from models.people import Person
from tests.http.test_social import CALLBACK, initiate, provider, there  # noqa: F401
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD

ELSEWHERE = {"X-Forwarded-For": "192.0.2.77"}
REGISTER = ("/api/register/", "/api/users/auth/register/", "/api/auth/register/", "/api/v2/auth/register/",
            "/register/")  # fmt: skip


def form(name="ann", **fields):
    return {"email": f"{name}@example.org", "password": PASSWORD} | fields


async def register(client, *args, path="/api/register/", headers=ELSEWHERE, **fields):
    return await client.post(path, json=form(*args, **fields), headers=headers)


async def count_people(app):
    return await app.store.read(lambda: Person.select().count())


@sqlite_only
@pytest.mark.parametrize("path", REGISTER)
@pytest.mark.gen_test
async def test_nobody_else_on_the_network_is_quicker(app, client, path):
    refused = (await register(client, path=path)).expect(403)
    assert refused.json["code"] == "first_link_needed"
    assert "link" in refused.json["detail"] and "taskroom first-link" in refused.json["detail"]
    assert "Set-Cookie" not in refused.headers
    assert await count_people(app) == 0
    right = (await register(client, path=path, first_code=app.first_code.text)).expect(201)
    assert right.json["user"]["role"] == "ceo"
    after = (await register(client, "bob", path=path)).expect(201)
    assert after.json["user"]["role"] == "employee"


@sqlite_only
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Via", "1.1 squid"),
        ("X-Real-IP", "192.168.1.7"),
        ("x-forwarded-for", "192.168.1.7"),
        ("X-Forwarded-For", "127.0.0.1, 192.168.1.7"),
        ("X-Forwarded-For", "192.168.1.7, 127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1, unknown"),
        ("X-Forwarded-For", ""),
        ("Forwarded", 'for="[2001:db8::7]:80"'),
        ("Forwarded", "for=127.0.0.1, for=192.168.1.7;proto=https"),
        ("Forwarded", "by=127.0.0.1;for=_hidden"),
        ("Forwarded", "proto=https"),
    ],
)
@pytest.mark.parametrize("proxy", [(), ("127.0.0.1",)])
@pytest.mark.gen_test
async def test_what_is_passed_on_for_somebody_else_does_not_come_from_this_machine(
    start_app, new_client, proxy, header, value
):
    """Whether or not the proxy is named; and a first address is what anybody claims."""
    client = new_client(await start_app(proxy=proxy))
    refused = await register(client, headers={header: value})
    assert refused.expect(403).json["code"] == "first_link_needed"


@sqlite_only
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", "::1, ::ffff:127.0.0.1"),
        ("X-Forwarded-For", "[::1]:4000,127.0.0.1:4000"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", 'proto=http;For="[::1]:4711", for=127.0.0.1'),
    ],
)
@pytest.mark.parametrize("proxy", [(), ("127.0.0.1",)])
@pytest.mark.gen_test
async def test_a_frontend_s_own_server_on_this_machine_passes_on_for_whoever_is_at_it(
    start_app, new_client, proxy, header, value
):
    """Those that frontends are developed with say for whom they ask: for a browser on the same machine."""
    client = new_client(await start_app(proxy=proxy))
    headers = {header: value, "X-Forwarded-Host": "localhost:5173", "Origin": "http://localhost:5173"}
    assert (await register(client, headers=headers)).expect(201).json["user"]["role"] == "ceo"


@sqlite_only
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil.local", 403),
        ("localhost", 201),
        ("app.localhost", 201),
        ("127.0.0.1", 201),
        ("[::1]", 201),
        (socket.gethostname(), 201),
        ("tasks.example.org", 201),
    ],
)
@pytest.mark.gen_test
async def test_a_page_whose_name_came_to_lead_here_cannot_be_the_first(start_app, new_client, host, status):
    """Its owner has the name lead to this machine, after the browser on it has the page (DNS rebinding): then
    the page is of the server's own origin, and no link would be needed."""
    app = await start_app(cors_origins=("http://tasks.example.org:8000",))
    headers = {"Host": f"{host}:8000", "Origin": f"http://{host}:8000".lower()}
    assert (await register(new_client(app), headers=headers)).status == status


@sqlite_only
@pytest.mark.gen_test
async def test_nor_can_such_a_page_that_hides_where_it_is_from(client):
    """`referrerPolicy: "no-referrer"` makes the origin `null`."""
    (await register(client, headers={"Host": "evil.example:8000", "Origin": "null"})).expect(403)
    (await register(client, headers={"Host": "127.0.0.1:8000", "Origin": "null"})).expect(201)


@sqlite_only
@pytest.mark.gen_test
async def test_at_the_machine_itself_the_first_needs_no_link(app, client):
    given = (await register(client, headers={})).expect(201).json
    assert given["user"]["role"] == "ceo"


@sqlite_only
@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), ("http://localhost:3000", 201)])
@pytest.mark.gen_test
async def test_a_strange_page_in_a_browser_on_this_machine_cannot_be_the_first(client, origin, status):
    """A form of any page reaches 127.0.0.1."""
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": origin}
    answer = await client.post("/api/register/", form=form(), headers=headers)
    assert answer.status == status


@sqlite_only
@pytest.mark.gen_test
async def test_a_real_neighbour_is_told_by_the_address_of_the_connection(start_app, new_client):
    own = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    if not own:
        pytest.skip("this machine has no address but its own loopback")
    app = await start_app(host="0.0.0.0")
    client = new_client(f"http://{own[0]}:{app.port}")
    assert (await register(client, headers={})).expect(403).json["code"] == "first_link_needed"
    assert (await client.get("/api/v2/core/config/")).json["first_person"] == "link"
    here = new_client(f"http://127.0.0.1:{app.port}")
    assert (await here.get("/api/v2/core/config/")).json["first_person"] == "open"
    (await register(here, headers={})).expect(201)
    assert (await client.get("/api/v2/core/config/")).json["first_person"] is None


@sqlite_only
@pytest.mark.gen_test
async def test_a_wrong_code_is_refused_and_trying_is_throttled(start_app, new_client):
    app = await start_app(throttle_login="3/minute")
    client = new_client(app)
    code = app.first_code.text
    for wrong in ("x", code[:-1], code[:-1] + "é"):
        refused = (await register(client, first_code=wrong)).expect(403)
        assert refused.json["code"] == "first_link_wrong"
    (await register(client, first_code=code)).expect(429)
    assert await count_people(app) == 0


@sqlite_only
@pytest.mark.gen_test
async def test_the_code_may_be_written_in_any_way(app, client):
    written = app.first_code.text.upper().replace("-", " ")
    (await register(client, first_code=written)).expect(201)


@sqlite_only
@pytest.mark.gen_test
async def test_after_the_first_person_the_link_is_dead_and_says_so(app, client):
    code = app.first_code.text
    (await register(client, headers={})).expect(201)
    for headers in (ELSEWHERE, {}):
        refused = (await register(client, "bob", headers=headers, first_code=code)).expect(403)
        assert refused.json["code"] == "first_link_over"
    assert await count_people(app) == 1


@pytest.mark.gen_test
async def test_of_many_at_once_exactly_one_is_the_first(app, client):
    code = app.first_code.text
    given = [{"first_code": code}, {}] * 4
    answers = await asyncio.gather(
        *(register(client, f"person{number}", **fields) for number, fields in enumerate(given))
    )
    made = [one.json["user"] for one in answers if one.status == 201]
    codes = {one.json["code"] for one in answers if one.status != 201}
    assert [user["role"] for user in made].count("ceo") == 1
    assert codes <= {"first_link_needed", "first_link_over"}
    (ceo,) = [user for user in made if user["role"] == "ceo"]
    assert int(ceo["username"].removeprefix("person")) % 2 == 0, "one of those with the link"


@sqlite_only
@pytest.mark.gen_test
async def test_settings_ask_everybody_for_the_link_or_nobody(start_app, new_client):
    app = await start_app(first_link="always")
    client = new_client(app)
    assert (await register(client, headers={})).expect(403).json["code"] == "first_link_needed"
    (await register(client, headers={}, first_code=app.first_code.text)).expect(201)


@sqlite_only
@pytest.mark.gen_test
async def test_a_setting_lets_whoever_comes_first(start_app, new_client):
    client = new_client(await start_app(first_link="never"))
    (await register(client)).expect(201)


@sqlite_only
@pytest.mark.gen_test
async def test_the_code_outlives_a_restart_and_is_another_ones_elsewhere(start_app, settings, store, run):
    first = await run(first_person.code_of_link, settings().secret_key)
    again = await run(first_person.code_of_link, settings().secret_key)
    other = await run(first_person.code_of_link, "another secret, which is long enough as well")
    assert first.text == again.text != other.text
    assert not other.matches(first.text)


@sqlite_only
@pytest.mark.gen_test
async def test_a_provider_makes_the_first_person_only_with_the_link(
    start_app, new_client, provider,  # noqa: F811
):  # fmt: skip
    app = await start_app(**provider.settings("oidc"))

    async def sign_in(**query):
        browser = new_client(app, cookies=True)
        back = await there(browser, **query)
        return browser, await browser.get(back, headers=ELSEWHERE)

    _, refused = await sign_in()
    assert refused.expect(403).json["code"] == "first_link_needed"
    wrong = await new_client(app).get(initiate("oidc"), query={"first_code": "nonsense"})
    assert wrong.expect(403).json["code"] == "first_link_wrong"
    assert await count_people(app) == 0
    browser, answer = await sign_in(first_code=app.first_code.text)
    answer.expect(302)
    assert (await browser.get("/api/users/profile/")).json["role"] == "ceo"
    assert "first_code" not in browser.jar.header(CALLBACK[:-1])
    over = await new_client(app).get(initiate("oidc"), query={"first_code": app.first_code.text})
    assert over.expect(403).json["code"] == "first_link_over"
