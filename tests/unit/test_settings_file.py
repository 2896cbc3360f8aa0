"""`taskroom.toml`: what it says, what is wrong with it, and where each setting comes from."""

import os

import pytest

import settings as settings_module
from settings import Settings, SettingsError, origins
from tests.unit.test_settings import BAD_SETTINGS, SECRET


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write(content) puts the file into the data folder, which the environment names."""
    monkeypatch.setenv("TASKROOM_DATA_DIR", str(tmp_path))

    def write(content):
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "taskroom.toml").write_bytes(content)

    return write


def complaint() -> str:
    with pytest.raises(SettingsError) as failure:
        settings_module.load()
    text = str(failure.value)
    assert "\n" not in text
    return text


def test_a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default(write, monkeypatch):
    write('host = "c"\nport = 3\nregistration = "closed"\nbackend_url = "http://c"\n')
    monkeypatch.setenv("TASKROOM_HOST", "b")
    monkeypatch.setenv("TASKROOM_PORT", "2")
    monkeypatch.setenv("BACKEND_URL", "http://b")
    flags = {"port": "1"}
    chosen = settings_module.load(flags)
    assert (chosen.port, chosen.host, chosen.registration, chosen.workers) == (1, "b", "closed", 1)
    assert chosen.backend_url == "http://b"
    names = ("port", "host", "backend_url", "registration", "workers")
    assert [origins.Origins(flags).of(name) for name in names] == [
        "flag", "environment", "environment", "taskroom.toml, line 3", "default",
    ]  # fmt: skip
    monkeypatch.delenv("BACKEND_URL")
    assert settings_module.load(flags).backend_url == "http://c"


def test_the_file_is_looked_for_in_the_folder_that_the_flag_names(write, tmp_path):
    write("port = 3")
    assert settings_module.load({"data_dir": str(tmp_path / "other")}).port == 8000
    assert settings_module.load({"data_dir": str(tmp_path)}).port == 3


def test_values_are_as_people_write_them(write):
    write(
        '\ufeff# ours\r\nport = 8_001\r\ncors_origins = [\r\n  "http://a:1", # one\r\n  "http://b",\r\n]\r\n'
        'deadline_hours = [24, 1.5]\r\nrotate_refresh = true\r\nbackup_every = "1d"\r\nproxy = "10.0.0.1,::1"'
    )
    chosen = settings_module.load()
    assert (chosen.port, chosen.cors_origins) == (8001, ("http://a:1", "http://b"))
    assert (chosen.deadline_hours, chosen.rotate_refresh, chosen.backup_every) == ((24, 1.5), True, 24)
    assert len(chosen.proxy) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('\n# ours\nprot = 80\n', 'taskroom.toml, line 3: there is no setting "prot"; did you mean "port"?'),
        ("backup-every = '1d'", 'line 1: there is no setting "backup-every"; did you mean "backup_every"?'),
        ("Port = 1", 'line 1: there is no setting "Port"; did you mean "port"?'),
        ("xyzzy = 1", 'taskroom.toml, line 1: there is no setting "xyzzy"'),
        ('data_dir = "x"', "taskroom.toml, line 1: data_dir cannot be set here: "),
        ("port = 1\n[server]\nhost = 'a'", "taskroom.toml, line 2: there are no sections"),
        ("server.port = 1", "taskroom.toml, line 1: there are no sections"),
        ('host = "a"\nport = = 1', "line 2: setting port: invalid value; a text stands in quotes"),
        ("port = 1\nhost = 127.0.0.1", "taskroom.toml, line 2: setting host: expected newline"),
        ("host = localhost", "taskroom.toml, line 1: setting host: invalid value; a text stands in quotes"),
        ("port = 1\nport = 2", "taskroom.toml, line 2: setting port: cannot overwrite a value"),
        ("port 1", "taskroom.toml, line 1: expected '='"),
        ("port = 1\ncors_origins = [\n", "taskroom.toml, line 2: setting cors_origins: invalid value"),
        ('host = """a\nport = 1\n', "taskroom.toml, line 2: "),
        (b"port = 1\nhost = '\xff'", "taskroom.toml, line 2: is not UTF-8"),
        ("x = " + "[" * 5000, "taskroom.toml, line 1: "),
        ("port = " + "9" * 5000, "taskroom.toml, line 1: "),
        ("port = 0x" + "f" * 5000, "taskroom.toml, line 1: setting port: "),
        ("port = true", "taskroom.toml, line 1: setting port: must be a whole number"),
        ("port = nan", "taskroom.toml, line 1: setting port: must be a whole number"),
        ("port = 1979-05-27", "taskroom.toml, line 1: setting port: must be a text, a number"),
        ('cors_origins = [\n"http://a",\n]\nport = 70000', "line 4: setting port: must be at most 65535"),
        ("port = 1\nworkers = 2", "taskroom.toml, line 2: setting workers: several need database_url"),
        ('oidc_client_id = "x"', "taskroom.toml, line 1: setting oidc_client_id: needs oidc_issuer"),
        ('host = ["a"]', "taskroom.toml, line 1: setting host: takes one value and no list"),
        ('host = "a\\u0000b"', "taskroom.toml, line 1: setting host: must be one line"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_file_is_one_line_that_says_where(write, content, said):
    write(content)
    assert said in complaint()


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_value_that_makes_no_sense_names_its_line(write, name):
    write(f"\n{name} = '{BAD_SETTINGS[name][0]}'")
    assert complaint().startswith(f"taskroom.toml, line 2: setting {name}: ")


def test_a_file_that_cannot_be_read_is_one_line(write, tmp_path, monkeypatch):
    (tmp_path / "taskroom.toml").mkdir()
    assert complaint() == f"{tmp_path}/taskroom.toml: cannot be read: Is a directory"
    (tmp_path / "taskroom.toml").rmdir()
    write("port = 1")
    (tmp_path / "taskroom.toml").chmod(0)
    if os.geteuid():
        assert complaint() == f"{tmp_path}/taskroom.toml: cannot be read: Permission denied"


def test_a_file_with_secrets_that_everybody_can_read_is_warned_of(write, tmp_path):
    path = tmp_path / "taskroom.toml"
    for content, warned in [
        ("port = 1", False),
        (f"secret_key = '{SECRET}'", True),
        ('redis_url = "redis://:hush@localhost"', True),
        ('redis_url = "redis://localhost"', False),
    ]:
        write(content)
        path.chmod(0o644)
        texts = settings_module.warnings(settings_module.load())
        assert [f"chmod 600 {path}" in text for text in texts] == [True] * warned, content
        path.chmod(0o640)
        assert settings_module.warnings(settings_module.load()) == []


def test_no_secret_is_shown(write):
    secrets = {
        "secret_key": SECRET,
        "google_client_secret": "hush1", "google_client_id": "g",
        "github_client_secret": "hush2", "github_client_id": "h",
        "oidc_client_secret": "hush3", "oidc_client_id": "o", "oidc_issuer": "https://issuer",
        "database_url": "postgresql://me:hush@4@db:5432/x?sslmode=require&password=hush5",
        "redis_url": "rediss://:hush6@r:1/0",
        "smtp_url": "smtp://me:hush7@mail:25",
    }  # fmt: skip
    write("".join(f"{name} = {value!r}\n" for name, value in secrets.items()))
    chosen = settings_module.load()
    rows = {name: (value, origin) for name, value, origin in origins.shown(chosen, origins.Origins({}))}
    assert rows.keys() == Settings.model_fields.keys()
    assert "hush" not in str(rows)
    assert SECRET not in str(rows)
    assert rows["database_url"][0] == "postgresql://me:(hidden)@db:5432/x?sslmode=require&password=(hidden)"
    assert rows["smtp_url"][0] == "smtp://me:(hidden)@mail:25"
    assert rows["oidc_client_secret"] == ("(hidden)", "taskroom.toml, line 6")
    assert rows["google_client_id"][0] == "g"
    assert rows["deadline_hours"] == ("24,1", "default")
