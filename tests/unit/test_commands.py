"""Reading a message is one call: a checked command, or the error that it will be answered with."""

import json

import pytest

from realtime.sockets.channel import Resume
from realtime.sockets.commands import BadMessage, QueuedCommand, RefusedMessage
from realtime.sockets.focus import FocusClient
from realtime.sockets.health import HealthClient
from realtime.sockets.tasks import Request, TaskClient


def read(client, **content):
    return client.commands.read(json.dumps(content))


def test_a_message_becomes_its_command_with_what_the_answer_repeats():
    found = read(HealthClient, type="resume", since=7, request_id="a")
    assert isinstance(found, QueuedCommand)
    assert (found.command.type, found.message, found.request_id) == (
        "resume", Resume(type="resume", since=7), "a"
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", b"\xff", '{"type": 1}', '{"type": "x"}', "{}"])
def test_what_is_no_message_is_refused_as_bad(text):
    found = HealthClient.commands.read(text)
    assert isinstance(found, RefusedMessage)
    assert isinstance(found.error, BadMessage)
    assert not found.is_pipelined


def test_a_wrong_field_is_refused_by_its_name_and_with_the_request_id():
    found = read(HealthClient, type="resume", since="x", request_id=7)
    assert isinstance(found, RefusedMessage)
    assert (found.error.errors.keys(), found.request_id) == ({"since"}, 7)


@pytest.mark.parametrize("request_id", [None, 1.5, [], {}, "x" * 201, 10**201])
def test_what_is_no_request_id_is_not_repeated(request_id):
    assert read(HealthClient, type="ping", request_id=request_id).request_id is None


def test_a_mode_says_what_to_do_with_tasks_and_the_answer_repeats_it():
    found = read(TaskClient, mode="read", task_id=7, request_id="a")
    assert (found.command.type, found.request_id) == ("read", Request("read", "a"))
    assert read(TaskClient, type="ping").command.type == "ping"
    assert read(TaskClient, type="read", task_id=7).error.code == "unknown_type"
    assert read(TaskClient, mode="nothing").error.code == "unknown_mode"


def test_whatever_is_not_the_server_s_own_is_for_the_others_in_a_focus_session():
    assert read(FocusClient, type="anything", x=1).command.type == "data"
    assert read(FocusClient, type="ping").command.type == "ping"
