"""API tokens of people."""

from typing import Any

from tests.support.http import PASSWORD
from tests.support.team import Member

TOKENS = "/api/users/profile/tokens/"


async def make_token(member: Member, scope: str = "all", **fields: Any) -> dict[str, Any]:
    """A new token, as it is told once."""
    body = {"name": f"{scope} script", "scope": scope, "current_password": PASSWORD} | fields
    return (await member.post(TOKENS, json=body)).expect(201).json


async def by_token(member: Member, scope: str = "all", **fields: Any) -> Member:
    """The same person, acting by a new token."""
    made = await make_token(member, scope, **fields)
    return Member(member.user, made["token"], "", member.client)
