"""What an administrator types, and what is said when a setting or something that it names is wrong."""

import io
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import application
import command_line
import server
import settings as settings_module
from administration import parser
from handlers.web import proxy
from models.database import upgrade
from settings import Settings, SettingsError
from tests.support.server_process import ROOT
from tests.support.smtp import MailServer

OTHER_COMMANDS = (
    "serve",
    "migrate",
    "create-user",
    "people",
    "reset-link",
    "mail",
    "backup",
    "restore",
    "doctor",
    "settings",
    "check",
)


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """typed(*words) -> exit status, standard output, standard error."""
    monkeypatch.setattr(server, "_set_up_logging", lambda log_format: None)
    monkeypatch.setenv("TASKROOM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TASKROOM_PORT", "0")

    def run(*words: str) -> tuple[int, str, str]:
        try:
            status = server.main(words)
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return run


def complaint(flags: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        settings_module.load(flags)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# -- settings that make no sense -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> Path:
    """A folder with two certificates and their keys, and an encrypted key."""
    if shutil.which("openssl") is None and os.environ.get("CI") != "true":
        pytest.skip("no openssl to make certificates with")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("one", "other"):
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            ],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:x", "-in", "one.key", "-out", "locked.key"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "text").write_text("neither")
    return folder


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("text", "one.key", "setting tls_cert: .*text holds no certificate"),
        ("one.pem", "text", "setting tls_key: .*text holds no private key"),
        ("one.pem", "locked.key", "setting tls_key: .*locked.key holds no private key .* encrypted"),
        ("one.pem", "other.key", "setting tls_key: .*other.key does not belong to the certificate"),
        ("one.pem", "", "setting tls_cert: needs tls_key"),
        ("", "one.key", "setting tls_key: needs tls_cert"),
    ],
)
def test_a_tls_file_that_cannot_serve_is_named(tls, cert, key, said):
    flags = {"tls_cert": cert and str(tls / cert), "tls_key": key and str(tls / key)}
    assert re.match(said, complaint({name: value for name, value in flags.items() if value}))


def test_a_certificate_and_its_key_are_taken(tls):
    settings_module.load({"tls_cert": str(tls / "one.pem"), "tls_key": str(tls / "one.key")})


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("google_client_id", "google_client_secret"),
        ("google_client_secret", "google_client_id"),
        ("github_client_id", "github_client_secret"),
        ("github_client_secret", "github_client_id"),
        ("oidc_client_id", "oidc_issuer"),
        ("oidc_issuer", "oidc_client_id"),
        ("oidc_client_secret", "oidc_client_id"),
    ],
)
def test_half_a_social_configuration_is_refused(given, missing):
    value = "https://id.example" if given == "oidc_issuer" else "x"
    assert complaint({given: value}) == f"setting {given}: needs {missing}, which is empty"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "eighty", "must be a whole number"),
        ("port", "70000", "must be at most 65535"),
        ("socket_burst", "-1", "must be at least 0"),
        ("access_token_minutes", "0", "must be above 0"),
        ("max_upload_mb", "nan", "must be a number"),
        ("rotate_refresh", "perhaps", "must be true or false"),
        ("log_format", "xml", "must be 'text' or 'json'"),
        ("smtp_url", "smtp://host:port", "must be a URL with a valid host and port"),
        ("backend_url", "http://[", "must be a URL with a valid host and port"),
        ("cors_origins", "http://a:b", "must be a URL with a valid host and port"),
        ("backup_every", "nightly", "must be a time like 12h or 1d"),
        ("backup_keep", "7,4", "must be three whole numbers"),
        ("proxy", "foo", "'foo' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_words_for_people(name, value, said):
    assert complaint({name: value}).startswith(f"setting {name}: {said}")


def test_every_setting_has_a_meaning_and_a_place_in_the_help(typed):
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert parser._GROUPS.keys() <= Settings.model_fields.keys()
    status, help_text, _ = typed("--help")
    assert status == 0
    groups = re.split(r"\n(?=\S)", help_text)
    for name in Settings.model_fields:
        [group] = [group for group in groups if re.search(rf"--{name}\b", group)]
        assert group.splitlines()[0].rstrip(":") in parser._GROUPS.values(), name
    assert "(default: 127.0.0.1)" in " ".join(help_text.split())
    assert "(default: 24,1)" in " ".join(help_text.split())


# -- commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHER_COMMANDS)
def test_each_command_has_its_help(typed, name):
    status, help_text, error = typed(name, "--help")
    assert (status, error) == (0, "")
    assert help_text.startswith(f"usage: server.py {name} ")
    assert "--database_url" in help_text
    assert ("EMAIL" in help_text) == (name in ("create-user", "reset-link"))


def test_the_version_is_said_and_has_one_place(typed):
    assert typed("--version") == (0, f"Taskroom {settings_module.VERSION}\n", "")
    assert "version = attr: settings.VERSION" in (ROOT / "setup.cfg").read_text()
    assert application.describe_api()["info"]["version"] == settings_module.VERSION


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "extra"], "'extra' is too much"),
        (["create-user", "a@b.example", "ceo", "now"], "'now' is too much"),
        (["reset-link"], "usage: server.py reset-link EMAIL"),
        (["dance"], "there is no command dance"),
        (["--prot", "80"], "there is no setting --prot"),
        (["check", "--port"], "--port"),
        (["create-user", "a@b.example", "king"], "a role is one of employee, atl,"),
        (["people", "dance"], "there is no 'dance'"),
        (["docs", "nothing"], "there is no document nothing"),
    ],
)
def test_what_cannot_be_typed_is_said_in_one_line(typed, words, said):
    status, out, error = typed(*words)
    assert status == 2
    assert out == ""
    [line] = error.splitlines()
    assert said in line


@pytest.mark.parametrize(
    "words", [["check", "--registration", "closed"], ["--registration", "closed", "check"]]
)
def test_a_flag_counts_before_and_after_the_command_and_wins(typed, monkeypatch, words):
    monkeypatch.setenv("TASKROOM_REGISTRATION", "nonsense")
    assert typed(*words)[0] == 0


def test_a_command_says_nothing_but_what_it_was_asked_for(tmp_path):
    """`create-user` on a new database told of every migration."""
    made = subprocess.run(
        [sys.executable, ROOT / "server.py", "create-user", "ann@example.org", "--data_dir", tmp_path],
        input="correct horse 7\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("Made ann ")


@pytest.mark.parametrize("words", [["mail"], ["reset-link", "ann@example.org"]])
def test_what_asks_an_installation_makes_none_in_a_mistyped_folder(typed, tmp_path, words):
    status, out, error = typed(*words, "--data_dir", str(tmp_path / "mistyped"))
    assert (status, out) == (1, "") and "database: there is none at " in error
    assert not (tmp_path / "mistyped").exists()


def test_without_its_migrations_nothing_starts(tmp_path, monkeypatch, typed):
    """An empty folder passed for a database that is up to date, and the server died of a missing table."""
    monkeypatch.setattr(upgrade, "MIGRATIONS", tmp_path)
    status, out, error = typed("migrate")
    assert (status, out) == (1, "")
    assert f"there are no migrations in {tmp_path}" in error


# -- what settings name --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["postgresql://ann:5%zzret@127.0.0.1/x", "postgresql://ann:1?5%zzret@127.0.0.1"]
)
def test_a_database_url_that_cannot_be_read_is_not_quoted(typed, url):
    """PostgreSQL's library repeats the piece that it does not understand: the password."""
    status, out, err = typed("check", "--database_url", url)
    assert status == 1
    assert "database: invalid dsn" in err
    assert "zzret" not in out + err


def unused_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@pytest.mark.parametrize("name", ["redis_url", "smtp_url"])
def test_check_warns_of_a_server_that_does_not_answer_and_keeps_its_password(typed, name):
    port = unused_port()
    status, out, error = typed("check", f"--{name}", f"{name[:-4]}://ann:secret-word@127.0.0.1:{port}")
    assert status == 0
    assert "fine; see the warnings" in out
    [line] = error.splitlines()
    assert line.startswith(f"warning: setting {name}: 127.0.0.1:{port} ")
    assert "secret-word" not in line


@pytest.fixture
def mail_server():
    server = MailServer()
    server.start()
    yield server
    server.stop()


def test_check_says_nothing_of_a_redis_and_a_mail_server_that_answer(typed, redis_url, mail_server):
    status, _, error = typed("check", "--redis_url", redis_url, "--smtp_url", mail_server.url)
    assert (status, error) == (0, "")


def test_check_warns_of_a_port_that_is_taken_and_refuses_a_host_that_is_none(typed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, _, error = typed("check", "--port", str(taken.getsockname()[1]))
    assert status == 0
    assert error.startswith("warning: setting port: ")
    status, _, error = typed("check", "--host", "host.invalid")
    assert status == 1
    assert error.startswith("taskroom: setting host: host.invalid: ")


def test_an_address_that_this_machine_does_not_have_is_the_host_s_fault(typed):
    _, _, error = typed("check", "--host", "203.0.113.9")
    assert "setting host: cannot listen on port 0 of 203.0.113.9: Cannot assign requested address" in error
    assert "setting port" not in error and "serves already" not in error


def test_a_server_starts_without_its_redis_and_says_so(start_process):
    port = unused_port()
    process = start_process(from_scratch=True, redis_url=f"redis://127.0.0.1:{port}", prot="80")
    process.wait_for_log(rf"WARNING taskroom: setting redis_url: 127\.0\.0\.1:{port} does not answer")
    process.wait_for_log("WARNING taskroom: nothing reads TASKROOM_PROT")


# -- addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_who_serves_everywhere_is_told_addresses_that_can_be_opened(monkeypatch, host):
    monkeypatch.setattr(command_line, "lan_addresses", lambda host: ["192.168.1.5", "2001:db8::7"])
    chosen = settings_module.load({"host": host})
    assert command_line.addresses(chosen, 8000) == [
        "http://192.168.1.5:8000",
        "http://[2001:db8::7]:8000",
        "http://localhost:8000",
    ]


def test_the_machines_addresses_are_addresses_and_none_of_them_means_all():
    for found in command_line.lan_addresses("0.0.0.0"):
        assert not ipaddress.ip_address(found).is_unspecified


def test_nobody_is_sent_to_0_0_0_0(start_process, typed, monkeypatch):
    process = start_process(from_scratch=True, host="0.0.0.0")
    started = process.wait_for_log(r"serves on (.*)").group(1)
    assert f"http://localhost:{process.port}" in started
    assert "0.0.0.0" not in process.log_text()

    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse 7"))
    assert typed("create-user", "ann@example.org")[0] == 0
    status, link, _ = typed("reset-link", "ann@example.org", "--host", "0.0.0.0", "--port", "8000")
    assert status == 0
    assert re.match(r"http://[^/]+:8000/", link)
    assert "0.0.0.0" not in link


# -- proxies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "address", "expected"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.1/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1,fd00::/8", "fd12::1", True),
        ("fd00::/8", "fe80::1%eth0", False),
        ("10.0.0.0/8", "unknown", False),
        ("0.0.0.0/0", "", False),
    ],
)
def test_a_proxy_is_named_by_its_address_or_its_network(named, address, expected):
    assert proxy.is_proxy(address, settings_module.load({"proxy": named}).proxy) is expected


# -- the settings file ---------------------------------------------------------------------------------


def test_settings_are_shown_with_where_they_come_from(typed, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "taskroom.toml").write_text(
        'registration = "closed"\nredis_url = "redis://:hush@r"\n'
    )
    status, out, error = typed("settings", "--host", "::1")
    rows = {line.split()[0]: line.split(None, 1)[1] for line in out.splitlines()}
    assert status == 0
    assert rows["host"] == "::1  (flag)"
    assert rows["port"] == "0  (environment)"
    assert rows["registration"] == "closed  (taskroom.toml, line 1)"
    assert rows["redis_url"] == "redis://:(hidden)@r  (taskroom.toml, line 2)"
    assert rows["smtp_url"] == "-  (default)"
    assert "chmod 600" in error
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["taskroom.toml"]


@pytest.mark.parametrize("name", OTHER_COMMANDS)
def test_every_command_reads_the_file(typed, tmp_path, name):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "taskroom.toml").write_text("prot = 80")
    words = {
        "create-user": ["a@b.example"],
        "people": ["list"],
        "reset-link": ["a"],
        "backup": ["x"],
        "restore": ["x"],
    }
    said = 'taskroom: taskroom.toml, line 1: there is no setting "prot"; did you mean "port"?\n'
    assert typed(name, *words.get(name, [])) == (1, "", said)
