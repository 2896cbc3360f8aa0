"""Mail: queued with its cause, sent in the background, once, whatever the mail server does."""

import asyncio
import subprocess
import sys

import pytest

from jobs import mail as job
from models import mail
from models.errors import Conflict
from models.mail import Mail
from tests.support.database import sqlite_only
from tests.support.server_process import ROOT
from tests.support.smtp import MailServer
from tests.support.waiting import eventually


@pytest.fixture
def mail_server():
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def courier(settings, mail_server):
    return job.Courier(settings(smtp_url=mail_server.url, mail_from="Taskroom <taskroom@example.org>"))


async def make_due(run):
    """Time passes for whatever waits for its next attempt."""
    await run(lambda: Mail.update(next_attempt_at=1).where(Mail.next_attempt_at.is_null(False)).execute())


async def row(store, mail_id=1):
    return await store.read(lambda: Mail.get_by_id(mail_id))


@pytest.mark.gen_test
async def test_a_mail_goes_out_as_text_and_simple_html(run, store, mail_server, courier):
    text = "Hello Ada & <co>,\n\nsee https://example.org/?a=1&b=2\nsoon.\n"
    await run(mail.queue, "ada@example.org", "A\r\nBcc: eve@example.org", text)
    await job.deliver(store, courier)
    (sent,) = mail_server.received
    assert mail_server.recipients == ["ada@example.org"]
    assert sent["To"] == "ada@example.org" and sent["From"] == "Taskroom <taskroom@example.org>"
    assert sent["Subject"] == "A Bcc: eve@example.org" and sent["Bcc"] is None
    assert sent.get_body(("plain",)).get_content().splitlines() == text.splitlines()
    html = sent.get_body(("html",)).get_content()
    assert "<p>Hello Ada &amp; &lt;co&gt;,</p>" in html
    assert '<a href="https://example.org/?a=1&amp;b=2">' in html
    kept = await row(store)
    assert kept.sent_at and kept.next_attempt_at is None and kept.attempts == 1
    await job.deliver(store, courier)
    assert len(mail_server.received) == 1


@pytest.mark.gen_test
async def test_what_is_rolled_back_is_never_sent(run, store, mail_server, courier):
    def fails():
        mail.queue("ada@example.org", "s", "t")
        raise Conflict()

    with pytest.raises(Conflict):
        await run(fails)
    await job.deliver(store, courier)
    assert not mail_server.attempts


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("answer", "tried_again"), [("450 try later", True), ("550 no such user", False), ("535 who?", True)]
)
async def test_a_server_that_refuses(run, store, mail_server, courier, answer, tried_again):
    mail_server.answer_to_recipient = answer
    await run(mail.queue, "ada@example.org", "s", "t")
    await job.deliver(store, courier)
    kept = await row(store)
    assert answer in kept.error and kept.sent_at is None
    assert (kept.next_attempt_at is not None) == tried_again
    mail_server.answer_to_recipient = ""
    await make_due(run)
    await job.deliver(store, courier)
    assert len(mail_server.received) == tried_again


@pytest.mark.gen_test
async def test_attempts_become_rarer_and_end(run, store, mail_server, courier):
    mail_server.stop()
    await run(mail.queue, "ada@example.org", "s", "t")
    pauses = []
    for _ in range(12):
        await make_due(run)
        letter = await run(mail.take)
        await run(mail.failed, letter, "away", False)
        kept = await row(store)
        pauses.append(kept.next_attempt_at - letter.created_at)
    assert pauses == sorted(pauses)
    assert pauses[0] >= mail.FIRST_PAUSE_US and pauses[-1] < mail.LONGEST_PAUSE_US * 1.1
    await run(lambda: Mail.update(created_at=1, next_attempt_at=1).execute())
    await job.deliver(store, courier)
    kept = await row(store)
    assert kept.next_attempt_at is None and kept.error


@pytest.mark.gen_test
async def test_a_server_that_hangs_after_data(run, store, mail_server, courier, monkeypatch):
    """Nobody knows whether it took the mail: it is sent again, and known by its Message-ID."""
    monkeypatch.setattr(job, "SEND_WITHIN_S", 0.5)
    mail_server.hangs_after_data = True
    await run(mail.queue, "ada@example.org", "s", "t")
    await run(mail.queue, "bob@example.org", "s", "t")
    await job.deliver(store, courier)
    assert mail_server.attempts == 1, "a server that does not answer is not asked for the next mail"
    kept = await row(store)
    assert kept.error and kept.next_attempt_at
    mail_server.hangs_after_data = False
    await make_due(run)
    await job.deliver(store, courier)
    mail_server._let_go.set()
    await eventually(lambda: len(mail_server.received) >= 2)
    to_ada = {sent["Message-ID"] for sent in mail_server.received if sent["To"] == "ada@example.org"}
    assert len(to_ada) == 1


@pytest.mark.gen_test
async def test_a_server_that_dies_and_comes_back(run, store, mail_server, courier):
    mail_server.stop()
    await run(mail.queue, "ada@example.org", "s", "t")
    await job.deliver(store, courier)
    assert (await row(store)).error
    await asyncio.to_thread(mail_server.start)
    await make_due(run)
    await job.deliver(store, courier)
    assert len(mail_server.received) == 1 and (await row(store)).sent_at


@pytest.mark.gen_test
async def test_two_processes_take_each_mail_once(run, store, mail_server, courier, settings):
    for number in range(20):
        await run(mail.queue, f"p{number}@example.org", "s", "t")
    other = job.Courier(settings(smtp_url=mail_server.url))
    await asyncio.gather(job.deliver(store, courier), job.deliver(store, other))
    assert sorted(mail_server.recipients) == sorted(f"p{n}@example.org" for n in range(20))


@pytest.mark.gen_test
async def test_a_mail_whose_process_died_is_sent_by_another_after_the_lease(run, store, mail_server, courier):
    await run(mail.queue, "ada@example.org", "s", "t")
    assert await run(mail.take) is not None
    await job.deliver(store, courier)
    assert not mail_server.received
    await make_due(run)
    await job.deliver(store, courier)
    assert len(mail_server.received) == 1


@pytest.mark.parametrize(
    "address", ["a,b@example.org", "ann@example..com", "<a@x.yz", ",a@x", "a@", "ä@x.org"]
)
@pytest.mark.gen_test
async def test_an_address_that_cannot_be_mailed_is_given_up(run, store, mail_server, courier, address):
    """Some of these ended all mail of the process, until a restart, and then again."""
    await run(mail.queue, address, "s", "t")
    await run(mail.queue, "ada@example.org", "s", "t")
    await job.deliver(store, courier)
    assert mail_server.recipients == ["ada@example.org"]
    assert (await row(store, 1)).next_attempt_at is None


@sqlite_only
@pytest.mark.gen_test
async def test_a_running_server_sends_by_itself(start_app, new_client, mail_server, monkeypatch):
    monkeypatch.setattr(job, "LOOK_EVERY_S", 0.05)
    app = await start_app(smtp_url=mail_server.url, frontend_url="https://front.example.org")
    client = new_client(app)
    await client.register("ada")
    (await client.post("/api/password-reset/", json={"email": "ADA@example.org"})).expect(200)
    await eventually(lambda: mail_server.received)
    text = mail_server.received[0].get_body(("plain",)).get_content()
    assert "https://front.example.org/reset-password?uid=1&token=" in text


@sqlite_only
@pytest.mark.gen_test
async def test_without_a_mail_server_mail_is_kept_said_once_and_shown(
    start_app, new_client, monkeypatch, caplog
):
    monkeypatch.setattr(job, "LOOK_EVERY_S", 0.01)
    caplog.set_level("INFO")
    app = await start_app()
    client = new_client(app)
    await client.register("ada")
    (await client.post("/api/password-reset/", json={"email": "ada@example.org"})).expect(200)
    await eventually(lambda: "smtp_url is empty" in caplog.text)
    (await client.post("/api/password-reset/", json={"email": "ada@example.org"})).expect(200)
    await eventually(lambda: app.store.read(lambda: Mail.select().count() == 2))
    command = [sys.executable, str(ROOT / "server.py"), "mail", "--data_dir", str(app.settings.data_dir)]
    command += ["--database_url", app.settings.database_url]
    shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert "to ada@example.org" in shown.stdout and "#reset?uid=1" in shown.stdout
    assert "2 not sent (smtp_url is empty" in shown.stdout
    assert caplog.text.count("smtp_url is empty") == 1
