"""What the settings say about who may do what."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules that an administrator may choose."""

    assignee_fields: tuple[str, ...] = ()
    """The fields that an assignee may change; none of them stands for all that an assignee may have."""
    second_factor_roles: tuple[str, ...] = ()
    """The roles that sign in with a second factor only."""
    session_idle_us: int = 0
    """How long a session may be without use before it is over; 0 is for ever."""
    default_room: str = "Everybody"
    """What the room that everybody is in is called when it is made; empty: nobody is put into one."""

    webhooks_to_this_machine: bool = False
    """Whether webhooks may be sent to the machine that the server runs on."""


# A thread of a store begins with the context that started the store, so that applications that share a
# process each have their own policy.
_policy: ContextVar[Policy] = ContextVar("policy", default=Policy())  # noqa: B039


def configure(policy: Policy) -> None:
    """Chooses the rules for whatever is started from here on; called once, before the store is started."""
    _policy.set(policy)


def get_policy() -> Policy:
    """The rules that hold here."""
    return _policy.get()
