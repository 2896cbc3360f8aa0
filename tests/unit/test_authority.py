"""The local authority: what it signs, for how long, and settings about it that make no sense."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from administration.certificates import describe, trouble
from lan.authority import Authority
from lan.certificate import authority_of
from settings import Settings, SettingsError, load


def test_a_root_that_is_over_is_made_anew_and_one_name_that_it_may_not_vouch_for_spoils_nothing(tmp_path):
    authority, now = Authority(tmp_path / "tls"), datetime.now(UTC)
    assert authority.ensure(["box.local", "10.0.0.7"], now)
    root = authority.root_text()
    assert not authority.ensure(["box.local"], now)
    assert not authority.ensure(["box.local", "bank.example", "8.8.8.8"], now)
    assert authority.uncovered(["box.local", "bank.example", "8.8.8.8"]) == ["bank.example", "8.8.8.8"]
    # Near the root's end a certificate lasts as long as the root, and is not made again and again.
    assert authority.ensure(["box.local"], now + timedelta(days=3630))
    assert not authority.ensure(["box.local"], now + timedelta(days=3640))
    assert authority.root_text() == root
    assert authority.ensure(["box.local"], now + timedelta(days=3651))
    assert authority.root_text() != root


def test_a_key_of_another_authority_is_refused(tmp_path):
    one, other = Authority(tmp_path / "one"), Authority(tmp_path / "other")
    one.ensure(["box.local"])
    other.ensure(["box.local"])
    shutil.copy(tmp_path / "other" / "root.key", tmp_path / "one" / "root.key")
    with pytest.raises(ValueError, match=r"root\.key does not belong to .*root\.crt"):
        one.ensure(["box.local"])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"tls": "yes"}, "setting tls: must be"),
        ({"tls_names": "box.local,two words"}, "setting tls_names: 'two words' is no name"),
        ({"tls": "auto", "tls_cert": "setup.cfg", "tls_key": "setup.cfg"}, "setting tls: auto makes"),
    ],
)
def test_settings_that_make_no_sense_are_named(given, complaint):
    with pytest.raises(SettingsError) as error:
        load(given)
    assert str(error.value).startswith(complaint)


@pytest.mark.parametrize(
    ("name", "days_ago", "said"),
    [
        ("127.0.0.1", 0, None),
        ("other.local", 0, "it is for other.local and not for 127.0.0.1"),
        ("127.0.0.1", 500, "browsers warn of it: certificate has expired"),
    ],
)
def test_what_is_wrong_with_a_certificate_that_settings_name_is_one_line(tmp_path, name, days_ago, said):
    authority = Authority(tmp_path / "tls")
    authority.ensure([name], datetime.now(UTC) - timedelta(days=days_ago))
    path = authority.server_path
    settings = Settings(tls_cert=path, tls_key=path)
    expected = said and f"setting tls_cert: {path}: {said}"
    assert trouble(settings, ["https://127.0.0.1:8000"]) == expected


def test_the_command_tells_how_each_system_is_taught_and_makes_nothing_twice(tmp_path):
    settings = Settings(data_dir=tmp_path)
    first, again = ("\n".join(describe(settings, ["https://10.0.0.7:8000"])) for _ in range(2))
    assert first.startswith("Made a certificate for ")
    assert again.startswith("There is already a certificate for ")
    assert authority_of(settings).fingerprint() in first
    for system in ("Windows", "macOS", "Linux", "Android", "iOS", "Firefox", "https://10.0.0.7:8000/trust"):
        assert system in first
