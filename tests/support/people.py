"""People without HTTP: made by the operations, known by the Actor that operations take."""

from collections.abc import Awaitable, Callable
from typing import Any

from models import sessions
from models.operations import accounts
from models.operations.accounts import NewPerson, SignedIn
from models.people import Person
from models.sessions import Actor, Device

DAY_US = 24 * 3600 * 1_000_000

Run = Callable[..., Awaitable[Any]]


def newcomer(name: str, **fields: Any) -> NewPerson:
    """Nobody signs in with this password; what hashes one is tested elsewhere."""
    known = {"email": f"{name}@example.org", "username": name, "password_hash": f"hash of {name}"}
    return NewPerson(**(known | fields))


async def register(run: Run, name: str, **fields: Any) -> SignedIn:
    """`run` is the fixture, or any store's `write`."""
    return await run(accounts.register, newcomer(name, **fields), Device(), DAY_US)


async def join_team(run: Run, *names: str) -> list[Actor]:
    """Newly registered people, signed in; the first ever is the ceo."""
    return [await run(sessions.actor, (await register(run, name)).session_id) for name in names]


async def deactivate(run: Run, actor: Actor) -> None:
    await run(lambda: Person.update(is_active=False).where(Person.id == actor.id).execute())
