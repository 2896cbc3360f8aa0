"""What can be typed after `server.py`: the sub-commands other than serving, their flags and their help."""

from __future__ import annotations

import argparse
import asyncio
import errno
import getpass
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import settings as settings_module
from administration import backups, certificates, people
from administration.doctor import Doctor
from administration.documents import documents, first_line
from administration.parser import Command, check_words, make_parser
from jobs.mail import Courier
from lan.addresses import EVERY_ADDRESS, lan_addresses
from models import access, first_person
from models.backups.archive import ArchiveError
from models.backups.errors import UNDER_WAY_STATUS, BackupError, BackupUnderWay
from models.base import iso
from models.database.backends import StoreError
from models.database.store import Store
from models.errors import DomainError
from models.first_person import FirstCode
from models.mail import unsent
from models.operations import accounts
from models.operations.accounts import NewPerson
from models.passwords import hash_password, weaknesses
from models.people import ROLES, email_address
from models.resets import ResetTokens
from models.text import printable
from settings import Settings, SettingsError
from settings.origins import Origins, shown, trouble

MAX_MAIL_SHOWN = 1000
MISUSE_STATUS = 2
"""What is typed is no command: the same as for a flag that there is not."""
CONNECT_WITHIN_S = 3
"""What a Redis or a mail server has to answer in."""


def migrate(settings: Settings, given: argparse.Namespace) -> int:
    """Brings the database up to date."""
    applied = _store(settings).prepare()
    print(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")
    return 0


def check(settings: Settings, given: argparse.Namespace) -> int:
    """Says whether the database, the address, Redis and the mail server can be used.

    The settings have been checked by now. What a start would survive is a warning.
    """
    warnings = settings_module.warnings(settings)
    settings.resolve_secret()
    pending = _store(settings).check()
    certificate = certificates.trouble(settings, addresses(settings, settings.port))
    warnings += filter(
        None, (port_trouble(settings), redis_trouble(settings), _mail_trouble(settings), certificate)
    )
    for text in warnings:
        print(f"warning: {text}", file=sys.stderr)
    if pending:
        print(f"The next start will apply {', '.join(pending)}.")
    print("The settings and the database are fine" + ("; see the warnings." if warnings else "."))
    return 0


def port_trouble(settings: Settings) -> str | None:
    """Why the server could not listen now, if it could not. Raises SettingsError for an impossible host."""
    try:
        found = socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except socket.gaierror as error:
        raise SettingsError(f"setting host: {settings.host}: {error.strerror}") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            error.strerror = f"{error.strerror} (perhaps it serves already)"
        return cannot_listen(settings, error)
    return None


def cannot_listen(settings: Settings, error: OSError) -> str:
    """Why the server cannot listen, with the setting that is at fault."""
    is_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
    name = "host" if is_host else "port"
    return f"setting {name}: cannot listen on port {settings.port} of {settings.host}: {error.strerror}"


def redis_trouble(settings: Settings) -> str | None:
    """Why Redis cannot be used now, if it is set and cannot."""
    if not settings.redis_url:
        return None
    # Imported here: it costs 20 MiB that a single process does not need.
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    patience = {"socket_connect_timeout": CONNECT_WITHIN_S, "socket_timeout": CONNECT_WITHIN_S}
    try:
        with Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 0), **patience) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError) as error:
        return f"setting redis_url: {_place(settings.redis_url)} does not answer: {_first_line(error)}"
    return None


def _mail_trouble(settings: Settings) -> str | None:
    return asyncio.run(_mail_server_trouble(settings)) if settings.smtp_url else None


async def _mail_server_trouble(settings: Settings) -> str | None:
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await Courier(settings).try_connection()
    except Exception as error:
        # The outside world: whatever is wrong with it is what the administrator wants to know.
        return f"setting smtp_url: {_place(settings.smtp_url)} takes no mail: {_first_line(error)}"
    return None


def _place(url: str) -> str:
    """Host and port of a URL, or a socket's path, without the password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path


def _first_line(error: Exception) -> str:
    return printable(str(error).partition("\n")[0]).rstrip(".") or type(error).__name__


def create_user(settings: Settings, given: argparse.Namespace) -> int:
    """Makes a person."""
    role = given.role.lower() if given.role else None
    if role is not None and role not in ROLES:
        return complain(f"a role is one of {', '.join(ROLES)}", MISUSE_STATUS)
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        email = email_address(given.email)
    except ValueError as error:
        return complain(str(error))
    reasons = weaknesses(password, email, email.split("@")[0])
    if reasons:
        return complain(" ".join(reasons))
    access.configure(access.Policy(default_room=settings.default_room))
    store = _store(settings)
    store.prepare()
    new = NewPerson(email, "", hash_password(password))
    person = store.run_alone(lambda: accounts.create_person(new, role).to_json())
    print(f"Made {printable(person['username'])} (id {person['id']}, {person['role']}).")
    return 0


def reset_link(settings: Settings, given: argparse.Namespace) -> int:
    """Prints a link with which a person sets a new password."""
    store = _store(settings)
    # A mistyped folder must not become a new installation.
    try:
        store.check_exists()
    except StoreError as error:
        return complain(f"there is no active person {given.email}; {error}")
    store.prepare()
    found = store.run_alone(lambda: accounts.credentials(given.email))
    if found is None:
        return complain(f"there is no active person {given.email}")
    reset = ResetTokens(settings.resolve_secret()).make(*found)
    print(reset.link(settings.frontend_url, settings.backend_url or addresses(settings, settings.port)[0]))
    print("It works once, within an hour.", file=sys.stderr)
    return 0


def first_link(settings: Settings, given: argparse.Namespace) -> int:
    """Prints the link with which the first person registers."""
    store = _store(settings)
    store.prepare()
    code = store.run_alone(first_person.code_of_link, settings.resolve_secret())
    if code is None:
        return complain("somebody has registered already, so there is no such link any more")
    link = first_link_of(settings, code, settings.port)
    if link is None:
        return complain("no link is needed, or of use: look at the settings registration and first_link")
    print(link)
    return 0


def first_link_of(settings: Settings, code: FirstCode | None, port: int) -> str | None:
    """The link with which the first person registers, if there is a code and it is of any use."""
    if code is None or settings.registration == "closed" or settings.first_link == "never":
        return None
    return code.link(settings.backend_url or addresses(settings, port)[0])


def show_mail(settings: Settings, given: argparse.Namespace) -> int:
    """Prints the mail that has not been sent, the oldest first."""
    store = _store(settings)
    # A mistyped folder must not become a new installation.
    store.check_exists()
    store.prepare()
    waiting = store.run_alone(unsent, MAX_MAIL_SHOWN)
    for one in waiting:
        then = iso(one.next_attempt_at) or "never: given up"
        print(f"mail {one.id} to {printable(one.recipient)}, queued {iso(one.created_at)}")
        print(f"  Subject: {printable(one.subject)}")
        error = f" ({printable(one.error)})" if one.error else ""
        print(f"  Attempts: {one.attempts}, the next: {then}{error}")
        print("".join(f"\n  | {printable(line)}" for line in one.body.splitlines()).lstrip("\n"), end="\n\n")
    where = "" if settings.smtp_url else " (smtp_url is empty: it stays in the queue)"
    print(f"{len(waiting)} not sent{where}.")
    return 0


def backup(settings: Settings, given: argparse.Namespace) -> int:
    """Makes a backup, also beside a running server."""
    try:
        print(backups.make(settings, given.file, not given.no_secret))
    except BackupUnderWay as error:
        complain(str(error))
        return UNDER_WAY_STATUS
    return 0


def restore(settings: Settings, given: argparse.Namespace) -> int:
    """Restores a backup."""
    print(backups.restore(settings, given.file))
    return 0


def make_certificate(settings: Settings, given: argparse.Namespace) -> int:
    """Makes a local authority and a certificate, and tells how devices are taught to trust it."""
    host = settings.host if settings.host in EVERY_ADDRESS or lan_addresses(settings.host) else "0.0.0.0"
    served = settings.model_copy(update={"tls": "auto", "host": host})
    for line in certificates.describe(settings, addresses(served, settings.port)):
        print(line)
    return 0


def show_settings(settings: Settings, given: argparse.Namespace) -> int:
    """Prints what each setting is and where that comes from, without secrets."""
    rows = list(shown(settings, Origins(flags_of(given))))
    for name, value, origin in rows:
        print(f"{name:{max(len(row[0]) for row in rows)}}  {printable(value) or '-'}  ({origin})")
    if text := trouble(settings):
        print(f"warning: {printable(text)}", file=sys.stderr)
    return 0


def manage_people(settings: Settings, given: argparse.Namespace) -> int:
    """Shows people and their sessions, and changes them, also beside a running server."""
    words = [word for word in (given.person, given.value) if word is not None]
    try:
        lines = people.perform(settings, given.action, words)
    except people.Misuse as error:
        return complain(str(error), MISUSE_STATUS)
    for line in lines:
        print(printable(line))
    return 0


def show_documents(settings: Settings, given: argparse.Namespace) -> int:
    """Prints a document or a file for a deployment, or says which there are."""
    found = documents()
    if given.name is None:
        width = max(map(len, found))
        for name, path in found.items():
            print(f"{name:{width}}  {first_line(path)}".rstrip())
        return 0
    if given.name.removesuffix(".md") not in found:
        text = f"there is no document {given.name}; there are {', '.join(found)}"
        return complain(text, MISUSE_STATUS)
    print(found[given.name.removesuffix(".md")].read_text(), end="")
    return 0


def doctor(settings: Settings, given: argparse.Namespace) -> int:
    """Looks whether everything is well; 1 if anything is not."""
    chosen = Doctor(settings, addresses(settings, settings.port), redis_trouble, _mail_trouble)
    found = chosen.look()
    for one in found:
        print(printable(str(one)))
    return int(any(one.state == "problem" for one in found))


def _listen(argv: Sequence[str]) -> int:
    # Imported here: nothing else needs it.
    import websocket_client_test

    return websocket_client_test.main(argv, "taskroom listen")


COMMANDS = {
    "migrate": Command(migrate, "bring the database up to date (serving does so by itself)", {}),
    "create-user": Command(
        create_user,
        "make a person; the password is asked for, or read from stdin",
        {
            "email": {"metavar": "EMAIL", "help": "the person's address"},
            "role": {
                "metavar": "ROLE",
                "nargs": "?",
                "help": f"one of {', '.join(ROLES)}; the first person is ceo, others employee",
            },
        },
    ),
    "people": Command(
        manage_people,
        "list people, or change somebody's role, sessions, API tokens and whether they may sign in",
        {
            "action": {
                "metavar": "ACTION",
                "help": "list; role PERSON ROLE; deactivate PERSON; activate PERSON; sessions PERSON;"
                " revoke PERSON [SESSION]; tokens PERSON; revoke-token PERSON [TOKEN]",
            },
            "person": {"metavar": "PERSON", "nargs": "?", "help": "an id, a username or an address"},
            "value": {
                "metavar": "ROLE|SESSION|TOKEN",
                "nargs": "?",
                "help": "a role, or the id of a session or API token",
            },
        },
    ),
    "reset-link": Command(
        reset_link,
        "print a link with which a person sets a new password",
        {"email": {"metavar": "EMAIL", "help": "the person's address or username"}},
    ),
    "first-link": Command(first_link, "print the link with which the first person registers", {}),
    "mail": Command(show_mail, "show the mail that has not been sent", {}),
    "backup": Command(
        backup,
        "store everything in one file, also while the server runs, and try to restore it",
        {"file": {"metavar": "FILE", "type": Path, "help": "the file, or a folder for it"}},
        {"no_secret": "leave out what signs tokens: whoever has it can be anybody"},
    ),
    "restore": Command(
        restore,
        "restore a backup into an empty data_dir and, if database_url names one, an empty database",
        {"file": {"metavar": "FILE", "type": Path, "help": "a file that `backup` has made"}},
    ),
    "doctor": Command(
        doctor, "look whether the server beside it and all that it needs are well, and say what to do", {}
    ),
    "tls": Command(
        make_certificate,
        "make a local authority and a certificate for this machine, and say how devices trust it",
        {},
    ),
    "docs": Command(
        show_documents,
        "print a document or a file for a deployment, taskroom.service say; without a name, which there are",
        {"name": {"metavar": "NAME", "nargs": "?", "help": "as the list has it"}},
    ),
    "listen": Command(
        lambda settings, given: _listen([]),
        "show what OneTask's sockets say to the owner of a token: `listen --help`",
        {},
    ),
    "settings": Command(show_settings, "show each setting and where it comes from, secrets hidden", {}),
    "check": Command(check, "say whether the settings, the database and what they name can be used", {}),
}


def _store(settings: Settings) -> Store:
    # What a command is asked for is its output; each migration's name is not.
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)
    return Store(settings.database_url, settings.data_dir)


def complain(text: str, status: int = 1) -> int:
    """Says in one line why it gives up, and returns the exit status for that."""
    print(f"taskroom: {printable(text)}", file=sys.stderr)
    return status


# -- addresses -----------------------------------------------------------------------------------------


def addresses(settings: Settings, port: int) -> list[str]:
    """Where people open this server: on every address of the machine if it listens to all of them."""
    scheme = "https" if settings.speaks_tls else "http"
    is_everywhere = settings.host in EVERY_ADDRESS
    hosts = [*lan_addresses(settings.host), "localhost"] if is_everywhere else [settings.host]
    return [f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts]


def show_code(url: str) -> None:
    """Prints an address as a QR code, for a phone's camera."""
    # Imported here: only a terminal shows one.
    import segno

    print()
    segno.make(url, error="l", micro=False).terminal(border=2, compact=True)
    print(f"  {url}\n", flush=True)


def flags_of(given: argparse.Namespace) -> dict[str, str]:
    """The settings that were typed."""
    return {
        name.removeprefix("setting_"): value
        for name, value in vars(given).items()
        if name.startswith("setting_")
    }


def run(
    argv: Sequence[str], serve: Callable[[Settings], int], set_up_logging: Callable[[Settings], None]
) -> int:
    """Does what was typed, and returns the exit status."""
    commands = {
        "serve": Command(lambda settings, given: serve(settings), "serve; so does no command at all", {})
    } | COMMANDS
    if argv and argv[0] == "listen":
        # It has flags of its own, and asks a server instead of reading settings.
        return _listen(argv[1:])
    parser = make_parser(commands, argv)
    if not {"-h", "--help"} & set(argv):
        check_words(parser, commands, argv)
    given = parser.parse_args(argv)
    try:
        settings = settings_module.load(flags_of(given))
        set_up_logging(settings)
        return commands[given.command or "serve"].run(settings, given)
    except (SettingsError, StoreError, BackupError, ArchiveError) as error:
        return complain(str(error))
    except DomainError as error:
        return complain(error.detail)
