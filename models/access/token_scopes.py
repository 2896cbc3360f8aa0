"""What an API token may do of what its person may.

Every endpoint and every command of a socket says where it is declared which of these it needs (`scope`). What
says nothing cannot be reached with a token, and a test fails for it.
"""

from __future__ import annotations

from models.errors import Forbidden
from models.sessions import Actor

READ, CHAT, TASKS, ALL = "read", "chat", "tasks", "all"
SCOPES = (READ, CHAT, TASKS, ALL)
"""The scopes that a token may have; each of them reads."""
PERSON = "person"
"""What only somebody who has signed in may do: no token has this."""

_COVERS = {READ: {READ}, CHAT: {READ, CHAT}, TASKS: {READ, TASKS}, ALL: set(SCOPES)}
_NEEDS = {
    READ: "only reads",
    CHAT: "reads, and writes in the chat",
    TASKS: "reads, and changes tasks",
    ALL: "may do all that needs nobody in person",
}


def is_in_scope(actor: Actor, needed: str | None) -> bool:
    """Whether the actor has signed in, or their token covers what is needed."""
    return actor.scope is None or needed in _COVERS[actor.scope]


def check_scope(actor: Actor, needed: str | None) -> None:
    """Raises Forbidden for a token that does not cover what is needed; None is what no token covers."""
    if is_in_scope(actor, needed):
        return
    if needed is None or needed == PERSON:
        raise Forbidden("No API token may do this: sign in instead.", "token_scope")
    has = _NEEDS[actor.scope or ALL]
    raise Forbidden(f'This API token {has}. This needs one of the scope "{needed}" or "all".', "token_scope")
