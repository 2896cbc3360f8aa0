"""What `make run` installs: pinned, with hashes, the same as what is tested."""

import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.server_process import ROOT


def pinned(file_name: str) -> dict[str, str]:
    """The versions that a file pins, by name."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / file_name).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


def required(section: str, option: str) -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = [line for line in config[section][option].splitlines() if line and not line.startswith("#")]
    return [Requirement(line) for line in lines]


def test_everything_that_is_installed_to_run_has_a_hash():
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_runs_is_what_is_tested():
    lock, tested = pinned("requirements.lock"), pinned("constraints.txt")
    # The one that only a Python older than 3.11.3 needs, which the tests do not meet.
    assert {name: lock[name] for name in lock if lock[name] != tested.get(name)}.keys() <= {"async-timeout"}


def test_the_lock_is_as_new_as_the_requirements():
    lock = pinned("requirements.lock")
    for requirement in required("options", "install_requires"):
        assert Version(lock[canonicalize_name(requirement.name)]) in requirement.specifier, "run `make lock`"


@pytest.mark.parametrize("name", ["tornado", "limits", "puremagic"])
def test_where_we_lean_on_inner_parts_the_next_release_is_not_taken(name):
    [requirement] = [one for one in required("options", "install_requires") if one.name == name]
    assert any(part.operator == "<" for part in requirement.specifier)
