"""`people`: who is there, what they may, where they are signed in; by the operations of the HTTP API.

What is changed is an event in the log as well: a running server sees it there within a few seconds, and
closes the sockets of whoever has no session any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.web import security_log
from models import access
from models.database.store import Store
from models.errors import NotFound
from models.operations import accounts, api_tokens, people
from models.people import ROLES, Person, by_id_or_login
from models.sessions import Actor
from models.text import printable
from settings import Settings

PAGE = 500
MAX_SESSIONS_SHOWN = 1000


class Misuse(Exception):
    """What was typed is no command; the text is one line that says what would be."""


@dataclass(frozen=True, slots=True)
class _Action:
    """What `people NAME …` does to somebody; `words` are what it takes, those in brackets may be left out."""

    run: Callable[..., list[str]]
    words: tuple[str, ...]


def perform(settings: Settings, name: str, words: Sequence[str]) -> list[str]:
    """Does what was typed; returns what to say. Raises Misuse, DomainError, StoreError."""
    action = _ACTIONS.get(name)
    if action is None:
        raise Misuse(f"people: there is no {name!r}; there are {', '.join(_ACTIONS)}")
    needed = sum(not word.startswith("[") for word in action.words)
    if not needed <= len(words) <= len(action.words):
        raise Misuse(f"usage: people {' '.join((name, *action.words))}")
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)
    access.configure(access.Policy(default_room=settings.default_room))
    store = Store(settings.database_url, settings.data_dir)
    # A mistyped folder must not become a new installation.
    store.check_exists()
    store.prepare()
    return action.run(store, *words)


def _list(store: Store) -> list[str]:
    rows: list[Sequence[str]] = [("id", "username", "role", "state", "last seen", "address")]
    rows += [_row(one) for one in store.run_alone(lambda: list(_everybody()))]
    return _columns(rows)


def _everybody() -> Iterator[dict[str, Any]]:
    offset, count = 0, 1
    while offset < count:
        count, page = people.directory(_actor(0), PAGE, offset)
        yield from page
        offset += PAGE


def _row(person: dict[str, Any]) -> tuple[str, ...]:
    state = "active" if person["is_active"] else "deactivated"
    seen = "now" if person["is_online"] else person["last_seen"] or "never"
    return str(person["id"]), person["username"], person["role"], state, seen, person["email"]


def _change_role(store: Store, wish: str, role: str) -> list[str]:
    role = role.lower()
    if role not in ROLES:
        raise Misuse(f"a role is one of {', '.join(ROLES)}")

    def change(person: Person) -> None:
        people.change_role(_actor(person.id), person.id, role)

    person = _with(store, wish, change)
    if person.role == role:
        return [f"{_named(person)} is {role} already."]
    _note("role_changed", person, role=role)
    return [f"{_named(person)} is {role} now, and was {person.role}."]


def _deactivate(store: Store, wish: str) -> list[str]:
    person = _with(store, wish, lambda person: people.deactivate(_actor(person.id), person.id))
    if not person.is_active:
        return [f"{_named(person)} is deactivated already."]
    _note("deactivated", person, sessions="ended")
    return [f"{_named(person)} is deactivated, and their sessions have ended."]


def _activate(store: Store, wish: str) -> list[str]:
    person = _with(store, wish, lambda person: people.activate(_actor(person.id), person.id))
    if person.is_active:
        return [f"{_named(person)} is active already."]
    _note("activated", person)
    return [f"{_named(person)} can sign in again."]


def _sessions(store: Store, wish: str) -> list[str]:
    found: list[dict[str, Any]] = []

    def read(person: Person) -> None:
        found.extend(accounts.list_sessions(_actor(person.id), MAX_SESSIONS_SHOWN, 0)[1])

    person = _with(store, wish, read)
    if not found:
        return [f"{_named(person)} is signed in nowhere."]
    rows = [("id", "last used", "ends", "address", "device")]
    rows += [(one["id"], one["last_used"], one["expires_at"], one["address"], one["device"]) for one in found]
    return _columns(rows)


def _revoke(store: Store, wish: str, session_id: str = "") -> list[str]:
    ended: list[int] = []

    def end(person: Person) -> None:
        if session_id:
            accounts.end_session(_actor(person.id), session_id)
            ended.append(1)
        else:
            ended.append(accounts.list_sessions(_actor(person.id), 1, 0)[0])
            accounts.end_sessions(person.id)

    person = _with(store, wish, end)
    if ended[0]:
        _note("session_ended", person, sessions=ended[0])
    return [f"Ended {ended[0]} session{'s' * (ended[0] != 1)} of {_named(person)}."]


def _tokens(store: Store, wish: str) -> list[str]:
    found: list[dict[str, Any]] = []
    person = _with(store, wish, lambda person: found.extend(api_tokens.list_own(_actor(person.id))))
    if not found:
        return [f"{_named(person)} has no API tokens."]
    rows = [("id", "scope", "expires", "last used", "name")]
    rows += [
        (one["id"], one["scope"], _end_of(one), one["last_used"] or "never", one["name"]) for one in found
    ]
    return _columns(rows)


def _end_of(token: Mapping[str, Any]) -> str:
    if token["is_expired"]:
        return "expired"
    return token["expires_at"] or "never"


def _revoke_token(store: Store, wish: str, token_id: str = "") -> list[str]:
    ended: list[int] = []

    def end(person: Person) -> None:
        if token_id:
            api_tokens.revoke(_actor(person.id), token_id)
            ended.append(1)
        else:
            ended.append(api_tokens.end_all(person.id))

    person = _with(store, wish, end)
    if ended[0]:
        _note("api_token_revoked", person, tokens=ended[0])
    return [f"Revoked {ended[0]} API token{'s' * (ended[0] != 1)} of {_named(person)}."]


_ACTIONS = {
    "list": _Action(_list, ()),
    "role": _Action(_change_role, ("PERSON", "ROLE")),
    "deactivate": _Action(_deactivate, ("PERSON",)),
    "activate": _Action(_activate, ("PERSON",)),
    "sessions": _Action(_sessions, ("PERSON",)),
    "revoke": _Action(_revoke, ("PERSON", "[SESSION]")),
    "tokens": _Action(_tokens, ("PERSON",)),
    "revoke-token": _Action(_revoke_token, ("PERSON", "[TOKEN]")),
}


def _with(store: Store, wish: str, operation: Callable[[Person], object]) -> Person:
    """Runs an operation on the person of this id, username or address; returns them as they were before.

    Raises NotFound, and what the operation raises.
    """

    def find_and_run() -> Person:
        person = by_id_or_login(wish)
        if person is None:
            raise NotFound(f"there is no person {wish}")
        operation(person)
        return person

    return store.run_alone(find_and_run)


def _actor(person_id: int) -> Actor:
    """Whoever has the machine may all. Events name who caused them: nobody else than the person there is."""
    return Actor(person_id, "", ROLES[-1], None)


def _note(event: str, person: Person, **details: object) -> None:
    security_log.write(event, person.id, None, by="command_line", **details)


def _named(person: Person) -> str:
    return f"{person.username} (id {person.id})"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    texts = [[printable(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts)
    return [line.rstrip() for line in lines]
