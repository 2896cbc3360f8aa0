"""What `taskroom doctor` sees, and how it says so."""

import contextlib
import http.server
import shutil
import socket
import subprocess
import threading
import time

import pytest

from administration.doctor import Doctor
from administration.findings import look, ok
from lan.certificate import authority_of, names_of
from models import installation
from models.base import SECOND_US, now
from models.database.store import Store
from models.database.upgrade import Database
from settings import Settings
from tests.support.command_line import run_program


@pytest.fixture
def seen(tmp_path):
    """seen(**settings) -> what is found by name, and the whole text; in this process."""

    def look_at(addresses=(), trouble=None, **given):
        settings = Settings(**({"data_dir": tmp_path / "data"} | given))
        found = Doctor(settings, addresses, lambda _: trouble, lambda _: trouble).look()
        assert all("\n" not in str(one) and one.text.endswith((".", ")")) for one in found), found
        assert all(bool(one.advice) == (one.state != "ok") for one in found), found
        return {one.name: one for one in found}

    return look_at


def no_trouble(settings):
    return None


class Web(http.server.BaseHTTPRequestHandler):
    """Answers as a proxy does that passes requests and no WebSockets."""

    def do_GET(self):
        status, body = (400, b"no") if "Upgrade" in self.headers else (200, b'{"status":"ok"}')
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_is_well(start_process):
    """And one that has been stopped: the same words, and the exit status."""
    server = start_process()
    settings = {"port": str(server.port), "backend_url": server.url}
    done = run_program(server.folder, "doctor", **settings)
    assert (done.status, done.error) == (0, ""), done.out
    lines = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert set(lines) == {
        "ok       address", "ok       port", "ok       proxy", "ok       database", "ok       clock",
        "warning  backup", "ok       redis", "warning  mail", "ok       disk", "ok       certificate",
        "ok       webhooks",
    }  # fmt: skip
    assert lines["ok       proxy"] == f"{server.url} passes requests and WebSockets."
    assert "there never was one. Type `taskroom backup FILE`" in lines["warning  backup"]
    assert run_program(server.folder, "backup", "b.zip").status == 0
    server.stop()
    done = run_program(server.folder, "doctor", **settings)
    assert done.status == 1
    assert (
        f"problem  port: {server.url} does not answer: Connection refused. Is the server started?" in done.out
    )
    assert "ok       backup: the last one was made" in done.out


def test_a_database_that_is_not_there_is_not_made_by_looking(seen, tmp_path):
    found = seen()
    assert found["database"].state == "problem" and "there is none at" in found["database"].text
    assert found["disk"].state == "problem"
    assert not (tmp_path / "data").exists()


def test_a_password_in_an_address_is_not_shown(seen):
    url = "postgresql://me:pass-word@127.0.0.1:1/taskroom"
    found = seen(database_url=url)
    assert found["database"].state == "problem"
    assert "pass-word" not in str(found.values())


def test_a_proxy_that_passes_no_websockets_and_a_port_that_somebody_else_has(seen):
    with served(Web) as proxy, served(http.server.SimpleHTTPRequestHandler) as other:
        found = seen([other], backend_url=proxy)
    assert found["proxy"].state == "problem"
    assert found["proxy"].text == "it passes no WebSockets: the handshake gets status 400 and not 101."
    assert "Upgrade" in found["proxy"].advice
    assert found["port"].text == f"at {other}, something else than Taskroom answers."


def test_a_proxy_that_nobody_has_named(start_process, seen):
    """Everybody would have its address, and share its rates."""
    server = start_process()
    found = seen(backend_url=server.url, port=server.port + 1)
    assert found["proxy"].state == "warning" and "the setting proxy is empty" in found["proxy"].text
    assert seen(backend_url=server.url, port=server.port + 1, proxy="127.0.0.1")["proxy"].state == "ok"


def test_whatever_hangs_is_not_waited_for_long(seen, tmp_path):
    """A port that takes connections and says nothing: a frozen server, or a firewall."""
    (tmp_path / "data").mkdir()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        found = seen(
            [f"http://{place}"], backend_url=f"https://{place}", database_url=f"postgresql://{place}/x"
        )
        assert time.monotonic() - begun < 15
    assert {found[name].state for name in ("port", "proxy", "database", "certificate")} == {"problem"}
    assert "nothing answers within 3 s" in found["port"].text


def test_a_check_that_fails_is_a_finding_as_well():
    def fails():
        raise RuntimeError("what nobody expected\nat all")

    found = look([("first", fails), ("second", lambda: [ok("second", "fine.")])])
    assert [(one.name, one.state) for one in found] == [("first", "problem"), ("second", "ok")]
    assert "what nobody expected" in found[0].text and "\n" not in str(found[0])


def test_redis_and_mail_that_do_not_answer(seen):
    found = seen(trouble="it is away", redis_url="redis://127.0.0.1:1", smtp_url="smtp://127.0.0.1:1")
    for name in ("redis", "mail"):
        assert found[name].state == "problem" and found[name].text == "it is away."


@pytest.mark.parametrize(
    ("made_s_ago", "every", "failed", "state"),
    [
        (3600, 24, False, "ok"),
        (30 * 3600, 24, False, "problem"),
        (30 * 3600, 0, False, "ok"),
        (30 * 86400, 0, False, "warning"),
        (3600, 24, True, "problem"),
    ],
)
def test_the_age_of_the_last_backup(seen, settings, monkeypatch, made_s_ago, every, failed, state):
    monkeypatch.setattr("administration.doctor.SLOW_DATABASE_MS", 60_000)  # as it is on a busy machine
    chosen = settings()
    database = Database(chosen.database_url, chosen.data_dir)
    database.open()
    database.run_alone(installation.note_backup, now() - made_s_ago * SECOND_US)
    if failed:
        database.run_alone(installation.note_failure)
    found = seen(database_url=chosen.database_url, backup_every=every)
    assert found["backup"].state == state
    assert found["database"].state == found["clock"].state == "ok"


def test_a_clock_that_was_set_back(seen, settings, monkeypatch):
    chosen = settings()
    Store(chosen.database_url, chosen.data_dir).open()
    later = now() + 7200 * SECOND_US
    monkeypatch.setattr("administration.doctor.event_log.newest_stored_at", lambda: later)
    found = seen(database_url=chosen.database_url)
    assert (
        found["clock"].state == "problem" and "120 minutes from now: it was set back" in found["clock"].text
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")
def test_a_certificate_that_ends_soon_and_one_for_somebody_else(seen, tmp_path):
    for name, days in (("soon", 2), ("later", 90)):
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days),
                "-subj", "/CN=a", "-addext", "subjectAltName=DNS:tasks.example.org,IP:10.1.2.3",
                "-keyout", f"{name}.key", "-out", f"{name}.pem",
            ],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip

    def judged(name, address):
        pair = {"tls_cert": tmp_path / f"{name}.pem", "tls_key": tmp_path / f"{name}.key"}
        return seen([f"https://{address}:1"], **pair)["certificate"]

    def said_of(name, address):
        pair = {"tls_cert": tmp_path / f"{name}.pem", "tls_key": tmp_path / f"{name}.key"}
        chosen = Settings(data_dir=tmp_path / "data", **pair)
        return str(
            [
                str(one)
                for one in Doctor(chosen, [f"https://{address}:1"], no_trouble, no_trouble)._certificate()
            ]
        )

    # The port is nobody's: what is looked at is the file.
    assert judged("later", "10.1.2.3").text == "for tasks.example.org, 10.1.2.3, 90 days left; the key fits."
    assert judged("soon", "10.1.2.3").state == "warning"
    assert "it is for tasks.example.org" in said_of("later", "10.9.9.9")


def test_a_certificate_of_the_machines_own_authority(seen, tmp_path):
    url = ["https://127.0.0.1:1"]
    assert "--tls auto" in seen(url, tls="auto")["certificate"].advice
    settings = Settings(data_dir=tmp_path / "data", tls="auto")
    authority_of(settings).ensure(names_of(settings))
    found = seen(url, tls="auto")["certificate"]
    assert (found.state, "taskroom.local" in found.text) == ("ok", True)
    stranger = seen(url, tls="auto", tls_names=("box.elsewhere.example",))["certificate"]
    assert stranger.state == "warning" and "box.elsewhere.example" in stranger.text
