"""Requests that schemathesis makes of the published schema: what it allows, and what it does not."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import requests
import schemathesis
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.support.conformance import check_answer
from tests.support.fuzz import ENDS_THE_SESSION
from tests.support.raw_http import exchange, request_head

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
IDS = (1, 2, 3, 1_000_000)
"""Most likely there are such things."""


@dataclass(frozen=True)
class Request:
    """One request, without whoever asks."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class SchemaFuzzer:
    """Makes requests for every operation of a document, `but_for` some paths, as many of each kind as asked
    for; the same seed makes the same ones."""

    def __init__(
        self, document: dict[str, Any], seed: int, of_each: int, but_for: Sequence[str] = ()
    ) -> None:
        schema = schemathesis.openapi.from_dict({key: document[key] for key in document if key[:2] != "x-"})
        found = [one.ok() for one in schema.get_all_operations()]
        self._operations = [one for one in found if one.path not in but_for]
        self._random = random.Random(seed)
        self._seed = seed
        self._of_each = of_each

    def requests(self) -> Iterator[Request]:
        """A request after the other."""
        for operation, mode in itertools.product(self._operations, MODES):
            if not any(word in operation.path for word in ENDS_THE_SESSION):
                for case in self._cases(operation, mode):
                    yield self._request(case)

    def _cases(self, operation: Any, mode: GenerationMode) -> list[Any]:
        cases: list[Any] = []

        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=self._of_each, database=None, deadline=None, phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def keep(case: Any) -> None:
            cases.append(case)

        try:
            keep()
        except Unsatisfiable:
            # Nothing can be wrong about a request that takes nothing.
            assert mode is GenerationMode.NEGATIVE, operation.label
        return cases

    def _request(self, case: Any) -> Request:
        self._name_what_is_there(case)
        case.query.pop("wait", None)
        sent = requests.Request(**case.as_transport_kwargs("http://127.0.0.1")).prepare()
        names = ("Content-Type", "If-Match", "Idempotency-Key")
        headers = {name: str(sent.headers[name]) for name in names if name in sent.headers}
        body = sent.body or b""
        url = urlsplit(sent.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        return Request(sent.method, path, headers, body.encode() if isinstance(body, str) else body)

    def _name_what_is_there(self, case: Any) -> None:
        """Half of the ids are of something that most likely is there."""
        for place in (case.path_parameters, case.body):
            for name, value in list(place.items()) if isinstance(place, dict) else ():
                if type(value) is int and self._random.random() < 0.5:
                    place[name] = self._random.choice(IDS)


async def answers_to(
    url: str, asked: Sequence[Request], tokens: Sequence[str]
) -> tuple[list[int], list[str]]:
    """The status of each, every one asked by one of the people in turn; and what is wrong with an answer:
    it is the server's fault, missing, or not as it is declared."""
    waiting = iter(zip(asked, itertools.cycle(tokens), strict=False))
    statuses: list[int] = []
    wrong: list[str] = []

    async def work() -> None:
        for one, token in waiting:
            headers = one.headers | {"Authorization": f"Bearer {token}", "Content-Length": len(one.body)}
            data = request_head(one.method, one.path, headers) + one.body
            try:
                answer = await exchange(url, data)
                statuses.append(answer.status)
                assert answer.status < 500, answer.status
                check_answer(one.method, one.path, answer)
            except (AssertionError, ConnectionError, TimeoutError, asyncio.IncompleteReadError) as error:
                wrong.append(f"{error!r:.600} to {data.replace(token.encode(), b'...')[:600]!r}")

    await asyncio.gather(*(work() for _ in range(8)))
    return statuses, wrong
