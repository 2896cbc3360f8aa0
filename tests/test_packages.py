"""What is published: the archive of the source and the package, each built once and used elsewhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

from settings import VERSION
from tests.support.server_process import ROOT, ServerProcess

NOT_PUBLISHED = {".editorconfig", ".gitignore", ".pre-commit-config.yaml"}
# Of a checkout, what is no part of the project.
MADE_HERE = shutil.ignore_patterns(
    ".*_cache",
    ".git",
    ".hypothesis",
    ".venv",
    "__pycache__",
    "*.egg-info",
    "build",
    "data",
    "dist",
    "screenshots",
)
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def build(what, source, target):
    """Has setuptools build it as pip would."""
    command = [sys.executable, "-c", BUILD, what, str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """The files of the project, and the folder that its source archive was unpacked into."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(ROOT, folder / "checkout", ignore=MADE_HERE)
    files = {
        path.relative_to(folder / "checkout").as_posix()
        for path in (folder / "checkout").rglob("*")
        if path.is_file()
    }
    build("build_sdist", folder / "checkout", folder)
    (archive,) = folder.glob("taskroom-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "unpacked", filter="data")
    return files, folder / "unpacked" / f"taskroom-{VERSION}"


@pytest.fixture(scope="session")
def installed(source, tmp_path_factory):
    """The folder of an environment of its own with the package, built from the archive, and our libraries."""
    folder = tmp_path_factory.mktemp("installed")
    build("build_wheel", source[1], folder)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    install = ["--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True)
    with zipfile.ZipFile(wheel) as file:
        assert not [name for name in file.namelist() if name.startswith(("tests/", "bench/"))]
    return folder / "venv"


def test_the_source_archive_has_every_file(source):
    files, unpacked = source
    there = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert files - there == NOT_PUBLISHED & files


def test_the_tests_run_from_the_source_archive(source):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_imports.py"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "tests/http/test_own_profile.py", "-k", "not postgresql"],
        cwd=source[1], env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_an_installed_package_has_the_commands_and_what_they_show(installed, tmp_path):
    def says(*words):
        command = [installed / "bin" / "taskroom", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert says("--version") == f"Taskroom {VERSION}\n"
    assert says("docs", "operations").startswith("# Operations")
    assert "nginx.conf" in says("docs")
    assert "OneTask" in says("listen", "--help")


@pytest.mark.gen_test
async def test_an_installed_package_serves_its_pages_and_one_version_everywhere(
    installed, tmp_path, new_client
):
    class Installed(ServerProcess):
        def command(self):
            return [str(installed / "bin" / "taskroom")]

    process = Installed(tmp_path / "elsewhere")
    process.start()
    try:
        client = new_client(process)
        page = (await client.get("/", headers={"Accept": "text/html"})).expect(200).text
        (await client.get(page.partition('src="')[2].partition('"')[0])).expect(200)
        (await client.get("/api/docs/")).expect(200)
        assert (await client.get("/api/schema/")).json["info"]["version"] == VERSION
        assert (await client.get("/api/v1/core/health/")).json["version"] == VERSION
        await client.register("ann")
    finally:
        process.stop()
        process.check_log()
