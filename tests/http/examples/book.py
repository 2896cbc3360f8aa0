"""Keeps what was sent and answered, in a form that stays the same from run to run."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import application
from tests.support.http import Answer, Client
from tests.support.team import Member
from tests.support.waiting import eventually

SERVER = "https://taskroom.example.org"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"
NOWHERE = 999_999
MAX_CHARS, MAX_ITEMS = 240, 3
_TRUTH = {"true": True, "false": False}
BYTES = "(the bytes of the file)"

Entry = dict[str, Any]


@dataclass
class Stage:
    """What a story is told on."""

    app: Any
    client: Client
    new_client: Any
    monkeypatch: Any
    wall_clock: Any
    provider: Any

    async def newcomers(self, *names: str) -> list[Member]:
        """People who have just registered; the first is ceo."""
        members = []
        for name in names:
            given = await self.client.register(name, first_name=name.title(), last_name="Lee")
            members.append(Member(given["user"], given["access"], given["refresh"], self.client))
        return members


@dataclass
class Book:
    """What one story shows, by operation: `POST /api/tasks/`."""

    client: Client
    kept: dict[str, Entry] = field(default_factory=dict)

    async def show(
        self, who: Member | Client | None, operation: str, json: Any = None, *, status: int | None = None,
        query: Mapping[str, Any] | None = None, form: Mapping[str, Any] | None = None, files: Any = (),
        headers: Mapping[str, str] | None = None, keys: tuple[str, ...] = (), **places: Any,
    ) -> Answer:  # fmt: skip
        """Makes a call and keeps it. `status` is that of success unless it is named, `places` what stands in
        the path; of a long answer only `keys` are kept."""
        asked = _Asked(operation, json, query, form, files, headers, places)
        declared = _declared(operation)
        client, token = self._caller(who)
        entry = self.kept.setdefault(operation, {"answers": {}})
        wanted = status or next(iter(declared.answers))
        if wanted < 400 and not entry.keys() - {"answers"}:
            await self._show_refusals(client, token, asked, declared, entry)
        answer = (await asked.ask(client, token)).expect(wanted)
        if wanted < 400:
            for name, value in asked.shown(declared).items():
                entry.setdefault(name, _plain(value))
        if answer.body:
            content = _content(answer)
            told = {key: content[key] for key in keys} if keys else content
            entry["answers"].setdefault(str(wanted), _plain(told))
        return answer

    def _caller(self, who: Member | Client | None) -> tuple[Client, str | None]:
        if isinstance(who, Client):
            return who, None
        return self.client, who and who.access

    async def _show_refusals(
        self, client: Client, token: str | None, asked: "_Asked", declared: Any, entry: Entry
    ) -> None:
        """What a wrong body or query, and an id of nothing, are answered with."""
        wrong = [asked.but(json={}), asked.but(json={name: {"a": "b"} for name in _names(declared.body)})]
        wrong += [asked.but(query={name: "x"}) for name in _names(declared.query)]
        if declared.body is None:
            wrong = wrong[2:]
        elif all(not one.is_required() for one in declared.body.model_fields.values()):
            wrong = wrong if declared.body.one_of else wrong[1:]
        await self._keep_first(400, wrong, client, token, entry)
        numbered = [name for name, value in asked.places.items() if isinstance(value, int)]
        if numbered:
            nowhere = asked.but(places=asked.places | {numbered[0]: NOWHERE})
            await self._keep_first(404, [nowhere], client, token, entry)

    async def _keep_first(
        self, status: int, calls: list["_Asked"], client: Client, token: str | None, entry: Entry
    ) -> None:
        for one in calls:
            answer = await one.ask(client, token)
            if answer.status == status:
                entry["answers"][str(status)] = _plain(answer.json)
                return


@dataclass(frozen=True)
class _Asked:
    operation: str
    json: Any
    query: Mapping[str, Any] | None
    form: Mapping[str, Any] | None
    files: Any
    headers: Mapping[str, str] | None
    places: Mapping[str, Any]

    def but(self, **changes: Any) -> "_Asked":
        """The same call, but for something; with another body it has no files."""
        if "json" in changes:
            changes |= {"form": None, "files": ()}
        return _Asked(**(vars(self) | changes))

    async def ask(self, client: Client, token: str | None) -> Answer:
        method, _, path = self.operation.partition(" ")
        for name, value in self.places.items():
            path = re.sub(r"\{" + name + r"(\.\.\.)?\}", str(value), path)
        assert "{" not in path, f"{path} lacks a place"
        options: dict[str, Any] = {} if self.json is None else {"json": self.json}
        options |= {"form": self.form, "files": self.files, "query": self.query, "headers": self.headers}
        return await client.request(method, path, token=token, **options)

    def shown(self, declared: Any) -> Entry:
        """What the documents show of it."""
        places = {name: unquote(one) if isinstance(one, str) else one for name, one in self.places.items()}
        said: Entry = {
            "path": places,
            "query": {name: _TRUTH.get(one, one) for name, one in (self.query or {}).items()},
        }
        if declared.body is not None:
            said["body"] = self.json if self.json is not None else dict(self.form or {})
        if self.files:
            said["files"] = [name for _, name, _, _ in self.files]
        return said


def _declared(operation: str) -> Any:
    method, _, path = operation.partition(" ")
    return next(route for route in application.ROUTES if route.path == path).handler.endpoints[method]


def _names(model: Any) -> list[str]:
    return list(model.model_fields) if model else []


def _content(answer: Answer) -> Any:
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("application/json"):
        return answer.json
    return answer.text if kind.startswith("text/") else BYTES


def _plain(value: Any) -> Any:
    """The value short, and without what is another one in every run."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value[:MAX_ITEMS]]
    if not isinstance(value, str):
        return value
    text = re.sub(r"http://127\.0\.0\.1:\d+", SERVER, value)
    text = re.sub(r"ws://127\.0\.0\.1:\d+", SERVER.replace("http", "ws"), text)
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", TOKEN, text)
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}…"


async def is_found(who: Member, path: str, word: str) -> None:
    """Waits until a search finds what was just said: a job fills the index a moment later."""

    async def found() -> bool:
        return bool((await who.get(path, query={"search": word})).expect(200).json["results"])

    await eventually(found)


def shape_of(value: Any) -> Any:
    """What two runs have in common: names and types."""
    if isinstance(value, dict):
        return {name: shape_of(one) for name, one in sorted(value.items())}
    if isinstance(value, list):
        return [shape_of(one) for one in value]
    return "number" if type(value) in (int, float) else type(value).__name__


def merged(recorded: Mapping[str, Entry], told: Mapping[str, Entry]) -> dict[str, Entry]:
    """What is told now, in the words that were recorded before wherever they are still of that shape."""
    return {name: _merged(recorded.get(name), told[name]) for name in sorted(told)}


def _merged(old: Any, new: Any) -> Any:
    if shape_of(old) == shape_of(new):
        return old
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: _merged(old.get(name), one) for name, one in new.items()}
    return new


def written(entries: Mapping[str, Entry]) -> str:
    """The text of a file."""
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
