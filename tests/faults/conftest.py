"""What the tests of faults share."""

import io
import sys

import pytest

from tests.support.command_line import Done


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """command(*args, typed="", **settings) -> Done: the command line, in this process."""
    import server

    # It would take the tests' own handlers away.
    monkeypatch.setattr(server, "_set_up_logging", lambda log_format: None)

    def run(*args: str, typed: str = "", **settings: str) -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        settings = {"data_dir": str(tmp_path / "data")} | settings
        flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
        try:
            status = server.main([*args, *flags])
        except SystemExit as end:
            status = end.code
        return Done(status, *capsys.readouterr())

    return run
