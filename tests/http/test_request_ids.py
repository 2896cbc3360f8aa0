"""One id for a request, its answer and what is logged about it."""

import json
import re

import pytest

from tests.support.database import sqlite_only


@sqlite_only
@pytest.mark.parametrize("given", ["7f3a", "req-1.2:3/4+5=", "x" * 64])
@pytest.mark.gen_test
async def test_a_sane_id_is_taken_over(client, given):
    answer = await client.get("/health/", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given


@sqlite_only
@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<b>", "-x", "naïve"])
@pytest.mark.gen_test
async def test_whatever_else_is_replaced(client, given):
    answer = await client.get("/nothing/there/", headers={"X-Request-ID": given})
    assert answer.status == 404
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-ID"])


@sqlite_only
@pytest.mark.gen_test
async def test_each_request_of_a_connection_has_an_id_of_its_own(client):
    ids = {(await client.get("/health/")).headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.gen_test
async def test_the_lines_of_a_request_have_its_id_and_others_have_none(start_process, new_client, log_format):
    process = start_process(log_format=log_format, log_level="debug")
    for name in ("first", "second"):
        await new_client(process).get(f"/nothing/{name}/", headers={"X-Request-ID": name})
    process.stop()
    lines = process.log_text().splitlines()
    of_requests = [line for line in lines if "/nothing/" in line]
    stopping = next(line for line in lines if "stopping" in line)
    if log_format == "json":
        assert [json.loads(line)["request_id"] for line in of_requests] == ["first", "second"]
        assert "request_id" not in json.loads(stopping)
    else:
        assert [line.rpartition(" ")[2] for line in of_requests] == ["[first]", "[second]"]
        assert stopping.endswith("stopping")


@pytest.mark.gen_test
async def test_what_is_below_the_level_is_not_logged(start_process, new_client):
    process = start_process(log_level="error")
    (await new_client(process).get("/nothing/")).expect(404)
    process.stop()
    assert process.log_text() == ""
