"""Settings: from where they come, and what is wrong with them."""

import pytest

import settings as settings_module
from settings import SettingsError
from settings.values import Group

SECRET = "a secret for tests only, long enough for each of the algorithms that must not be taken"


BAD_SETTINGS = {
    "port": ["x", "-1", "65536", "80.5", ""],
    "registration": ["maybe", ""],
    "access_token_minutes": ["0", "-1", "x", "nan", "inf"],
    "refresh_token_days": ["0", "-1", "nan", "inf", "1e300"],
    "rotate_refresh": ["perhaps"],
    "database_url": ["mysql://x", "postgresql", "/a/path"],
    "redis_url": ["http://x", "localhost:6379"],
    "smtp_url": ["mail.example.org"],
    "backend_url": ["example.org", "ftp://x", "http://"],
    "frontend_url": ["/front"],
    "oidc_issuer": ["issuer"],
    "cors_origins": ["*", "localhost:3000", "http://a/path", "http://a,b", "http://a?x"],
    "throttle_anon": ["x", "50", "50/fortnight", "-1/hour", "/hour"],
    "throttle_user": ["many"],
    "throttle_login": ["10/minute/x"],
    "throttle_password_reset": ["5 an hour"],
    "secret_key": ["short"],
    "max_upload_mb": ["-1", "x", "nan", "inf"],
    "event_retention_hours": ["-1", "nan", "inf"],
    "socket_rate": ["-1", "nan", "inf"],
    "socket_burst": ["-1", "1.5"],
    "socket_message_kib": ["-1"],
    "socket_outbox_kib": ["-1"],
    "socket_outbox_messages": ["-1"],
    "max_sockets": ["-1"],
    "backup_every": ["x", "-1", "1 fortnight", "nan", "inf", "9999d"],
    "backup_keep": ["7", "7,4,-1", "a,b,c", "1.5,1,1", ""],
    "deadline_hours": ["0", "24,-1", "24,x", "nan", "inf"],
    "tls_cert": ["/nowhere/cert.pem"],
    "tls_key": ["/nowhere/key.pem"],
    "log_format": ["xml"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD_SETTINGS.items() for value in values]
)
def test_a_setting_that_makes_no_sense_is_one_line_that_names_it(name, value, monkeypatch):
    def complaint(flags):
        with pytest.raises(SettingsError) as failure:
            settings_module.load(flags)
        return str(failure.value)

    assert complaint({name: value}).startswith(f"setting {name}: ")
    monkeypatch.setenv(f"TASKROOM_{name.upper()}", value)
    text = complaint({})
    assert text.startswith(f"setting {name}: ")
    assert "\n" not in text


def test_no_group_of_settings_hides_a_check_of_another():
    """Two of one name in two groups would leave the second unchecked."""
    groups = [base for base in settings_module.Settings.__bases__ if issubclass(base, Group)]
    names = [name for group in groups for name in vars(group) if name.startswith("_") and name[1] != "_"]
    checks = [
        name for name in names if name in settings_module.Settings.__pydantic_decorators__.field_validators
    ]
    assert len(groups) > 5
    assert sorted(checks) == sorted(set(checks))
    assert len(checks) > 10


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="setting prot: there is no such setting"):
        settings_module.load({"prot": "80"})


def test_the_defaults_make_sense_and_are_what_the_contract_says():
    chosen = settings_module.load()
    assert (chosen.host, chosen.port, str(chosen.data_dir)) == ("127.0.0.1", 8000, "data")
    assert (chosen.access_token_minutes, chosen.refresh_token_days, chosen.rotate_refresh) == (15, 14, False)
    assert chosen.deadline_hours == (24, 1)
    assert chosen.max_upload_bytes == 25 * 1024 * 1024
    assert len(chosen.cors_origins) == 4
    assert settings_module.unknown_environment() == []


def test_a_flag_wins_over_the_environment_and_that_over_the_default(monkeypatch):
    monkeypatch.setenv("TASKROOM_PORT", "9000")
    monkeypatch.setenv("TASKROOM_HOST", "0.0.0.0")
    chosen = settings_module.load({"port": "9001"})
    assert (chosen.host, chosen.port) == ("0.0.0.0", 9001)


def test_the_backend_url_has_two_names_in_the_environment(monkeypatch):
    monkeypatch.setenv("BACKEND_URL", "https://old.example.org/")
    assert settings_module.load().backend_url == "https://old.example.org"
    monkeypatch.setenv("TASKROOM_BACKEND_URL", "https://new.example.org")
    assert settings_module.load().backend_url == "https://new.example.org"
    assert (
        settings_module.load({"backend_url": "https://flag.example.org"}).backend_url
        == "https://flag.example.org"
    )
    monkeypatch.delenv("TASKROOM_BACKEND_URL")
    monkeypatch.setenv("BACKEND_URL", "nonsense")
    with pytest.raises(SettingsError, match=r"^setting backend_url: "):
        settings_module.load()


def test_lists_are_comma_separated_and_may_be_empty():
    chosen = settings_module.load(
        {
            "cors_origins": " http://a:1 , https://b/,",
            "deadline_hours": "48, 0.5",
            "proxy": "",
            "assignee_fields": "status,title",
        }
    )
    assert chosen.cors_origins == ("http://a:1", "https://b")
    assert chosen.deadline_hours == (48.0, 0.5)
    assert (chosen.proxy, chosen.assignee_fields) == ((), ("status", "title"))


def test_zero_or_empty_turns_a_limit_off():
    limits = ("max_upload_mb", "event_retention_hours", "socket_rate", "socket_burst", "socket_message_kib",
              "socket_outbox_kib", "socket_outbox_messages", "max_sockets")  # fmt: skip
    chosen = settings_module.load(dict.fromkeys(limits, "0") | {"throttle_anon": "", "throttle_login": ""})
    assert [getattr(chosen, name) for name in limits] == [0] * len(limits)
    assert (chosen.max_upload_bytes, chosen.throttle_anon, chosen.throttle_login) == (0, "", "")


@pytest.mark.parametrize("rate", ["50/hour", "10/minute", "5 per 2 hours", "1/day", "100 / second"])
def test_a_rate_reads_as_people_write_it(rate):
    assert settings_module.load({"throttle_user": rate}).throttle_user == rate


def test_a_certificate_needs_its_key(tmp_path):
    (tmp_path / "cert.pem").write_text("")
    with pytest.raises(SettingsError, match=r"^setting tls_cert: "):
        settings_module.load({"tls_cert": str(tmp_path / "cert.pem")})


def test_a_misspelt_variable_is_found(monkeypatch):
    monkeypatch.setenv("TASKROOM_PROT", "80")
    monkeypatch.setenv("TASKROOM_PORT", "80")
    assert settings_module.unknown_environment() == ["TASKROOM_PROT"]


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:3000", "here:8000", True),
        ("http://here:8000", "here:8000", True),
        ("https://here:8000", "here:8000", False),
        ("http://here", "here:80", True),
        ("http://here", "HERE", True),
        ("https://public.example", "here:8000", True),
        ("http://public.example", "here:8000", False),
        ("://", "here:8000", False),
        ("http://[", "here:8000", False),
        ("http://here", "here:8000", False),
        ("http://evil.example", "here:8000", False),
        ("http://localhost:3000.evil.example", "here:8000", False),
        ("http://here:8000@evil.example", "here:8000", False),
        ("null", "here:8000", False),
        ("", "here:8000", False),
    ],
)
def test_an_origin_is_this_host_s_or_a_listed_one(origin, host, allowed):
    chosen = settings_module.load({"backend_url": "https://public.example/taskroom"})
    assert chosen.allows_origin(origin, "http", host) is allowed


def test_the_secret_is_made_once_and_kept_for_its_owner_only(tmp_path):
    chosen = settings_module.load({"data_dir": str(tmp_path / "new")})
    secret = chosen.resolve_secret()
    assert len(secret) >= 32
    assert chosen.resolve_secret() == secret
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert settings_module.load({"secret_key": SECRET}).resolve_secret() == SECRET


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff\xfe" * 40])
def test_a_secret_that_a_crash_left_empty_signs_nothing(tmp_path, content):
    """With an empty one whoever likes signs tokens; a short one is guessed."""
    (tmp_path / "secret_key").write_bytes(content)
    chosen = settings_module.load({"data_dir": str(tmp_path)})
    for look in (chosen.resolve_secret, chosen.existing_secret):
        with pytest.raises(SettingsError, match=r"secret_key is empty or damaged: put it back from a backup"):
            look()
    assert (tmp_path / "secret_key").read_bytes() == content


def test_a_secret_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(SettingsError, match=r"setting data_dir: .*secret_key: Is a directory"):
        settings_module.load({"data_dir": str(tmp_path)}).resolve_secret()


@pytest.mark.parametrize(
    ("given", "hours"),
    [("0", 0), ("24", 24), ("90m", 1.5), ("12h", 12), ("1d", 24), ("0.5 D", 12), ("2w", 336)],
)
def test_a_time_is_in_hours_or_says_otherwise(given, hours):
    assert settings_module.load({"backup_every": given}).backup_every == pytest.approx(hours)


def test_backups_lie_in_the_data_folder_unless_a_setting_says_otherwise(tmp_path):
    data = {"data_dir": str(tmp_path)}
    assert settings_module.load(data).backups == tmp_path / "backups"
    assert settings_module.load(data | {"backup_folder": ""}).backups == tmp_path / "backups"
    assert (
        settings_module.load(data | {"backup_folder": "/mnt/b", "backup_keep": "1, 2,3"}).backups.name == "b"
    )
