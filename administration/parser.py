"""How the command line is read: the commands, the flags of all settings, and their help."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from models.text import printable
from settings import VERSION, Settings
from settings.origins import in_words

# Where each group of the help begins; the settings stand there in the order of their declaration.
_GROUPS = {
    "host": "where it serves and what it keeps",
    "access_token_minutes": "signing in",
    "throttle_anon": "rates, like 50/hour; empty is no limit",
    "smtp_url": "mail",
    "google_client_id": "signing in with another provider",
    "max_upload_mb": "limits; 0 is none",
    "deadline_hours": "tasks",
    "proxy": "proxy, TLS, metrics and log",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What `server.py NAME …` does."""

    run: Callable[[Settings, argparse.Namespace], int]
    help: str
    arguments: dict[str, dict[str, Any]]
    flags: dict[str, str] = field(default_factory=dict)
    """Flags of its own, which take no value, and their meaning."""


_COMMON: dict[str, Any] = {
    "allow_abbrev": False,
    "formatter_class": argparse.RawDescriptionHelpFormatter,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print the usage of sixty settings."""
        self.exit(2, f"taskroom: {printable(message)}; see {self.prog} --help\n")

    def _parse_optional(self, arg_string: str) -> Any:
        """Flags begin with two dashes; with one, it may be a session's id."""
        return super()._parse_optional(arg_string) if arg_string.startswith(("--", "-h")) else None


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group: Any = parser
    for name, setting in Settings.model_fields.items():
        if name in _GROUPS:
            group = parser.add_argument_group(_GROUPS[name])
        # Suppressed: a flag before the command must not be undone by the command's own default.
        options = {"dest": f"setting_{name}", "metavar": "VALUE", "default": argparse.SUPPRESS}
        group.add_argument(f"--{name}", help=_meaning(setting), **options)
        if "_" in name:
            group.add_argument(f"--{_dashed(name)}", help=argparse.SUPPRESS, **options)


def _meaning(field: Any) -> str:
    default = in_words(field.default)
    shown = f" (default: {default})" if default else ""
    return f"{field.description}{shown}".replace("%", "%%")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _usage(command: Command, prog: str) -> str:
    words = [
        f"[{one['metavar']}]" if one.get("nargs") == "?" else one["metavar"]
        for one in command.arguments.values()
    ]
    words += [f"[--{_dashed(flag)}]" for flag in command.flags]
    return " ".join([prog, *words, "[--NAME VALUE …]"])


def make_parser(commands: dict[str, Command], argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command line `argv`; without a command `command` is missing in what it gives."""
    name = Path(sys.argv[0]).name
    prog = name if name == "taskroom" else "server.py"
    parser = _Parser(
        prog=prog,
        usage=f"{prog} [COMMAND] [--NAME VALUE …]",
        description="Taskroom: tasks, chat, notifications and focus sessions for a team. Serves until it is"
        "\nended, unless a command says otherwise.",
        epilog=textwrap.fill(
            "Each setting may also come from the environment, as TASKROOM_NAME, or from taskroom.toml in"
            " data_dir, as name = value; the flag wins, then the environment. Lists are comma-separated.",
            100,
        ),
        **_COMMON,
    )
    parser.add_argument("--version", action="version", version=f"Taskroom {VERSION}")
    _add_settings(parser)
    parts = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for word, command in commands.items():
        part = _add_command(parts, word, command, f"{prog} {word}")
        # Sixty flags each: they are made for the one that is typed.
        if word in argv:
            _add_settings(part)
    return parser


def _add_command(parts: Any, word: str, command: Command, prog: str) -> argparse.ArgumentParser:
    part: argparse.ArgumentParser = parts.add_parser(
        word,
        prog=prog,
        usage=_usage(command, prog),
        help=command.help,
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        **_COMMON,
    )
    for argument, options in command.arguments.items():
        part.add_argument(argument, **options)
    for flag, meaning in command.flags.items():
        part.add_argument(f"--{_dashed(flag)}", f"--{flag}", action="store_true", help=meaning)
    return part


def check_words(parser: argparse.ArgumentParser, commands: dict[str, Command], argv: Sequence[str]) -> None:
    """Says what argparse would say less clearly."""
    known = {name for setting in Settings.model_fields for name in (setting, setting.replace("_", "-"))}
    known |= {"help", "version"}
    of_commands = {flag for command in commands.values() for flag in command.flags}
    plain_flags = {"help", "version"} | of_commands | set(map(_dashed, of_commands))
    known |= plain_flags
    for word in argv:
        name = word.partition("=")[0]
        if name.startswith("--") and name.removeprefix("--") not in known:
            parser.error(f"there is no setting {name}")
    plain = [
        word
        for index, word in enumerate(argv)
        if not word.startswith("-") and not _is_value(argv, index, plain_flags)
    ]
    if plain and plain[0] not in commands:
        parser.error(f"there is no command {plain[0]}; there are {', '.join(commands)}")
    if plain:
        _check_count(parser, plain[0], commands[plain[0]], plain[1:])


def _is_value(argv: Sequence[str], index: int, plain_flags: Collection[str]) -> bool:
    """Whether the word belongs to the flag before it."""
    flag = argv[index - 1] if index else ""
    return flag.startswith("--") and "=" not in flag and flag.removeprefix("--") not in plain_flags


def _check_count(parser: argparse.ArgumentParser, word: str, command: Command, given: Sequence[str]) -> None:
    needed = sum(one.get("nargs") != "?" for one in command.arguments.values())
    if not needed <= len(given) <= len(command.arguments):
        usage = _usage(command, f"{parser.prog} {word}")
        extra = f"{given[-1]!r} is too much; " if len(given) > len(command.arguments) else ""
        parser.error(f"{extra}usage: {usage}")
