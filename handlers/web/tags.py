"""What operations are about: several modules of handlers may be about one thing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from handlers.web.endpoint import Route

_ABOUT = {
    "Signing in": (
        "Registering, signing in and out, passwords, addresses, a second factor, and accounts elsewhere.",
        ("auth", "registering", "first_person", "passwords", "addresses", "second_factor", "social"),
    ),
    "API tokens": ("Tokens for scripts and bots, each of a scope.", ("api_tokens",)),
    "People": ("Everybody, roles, departments, and one's own profile.", ("people", "profile")),
    "Tasks": ("Tasks with their comments, files, assignments and proposals.", ("tasks",)),
    "TaskConsumer": ("The same tasks as TaskConsumer has them: known by their uuid.", ("taskconsumer",)),
    "Chat": ("Rooms, messages, reactions and pins.", ("chat", "rooms")),
    "Search": ("Finding messages and comments by their words.", ("search",)),
    "Notifications": ("What concerns one person.", ("notifications",)),
    "Workspaces": ("Workspaces and who is in them.", ("workspaces",)),
    "Webhooks": ("Telling other programs, and being told by them.", ("webhooks", "incoming_hooks")),
    "Calendar": ("One's due tasks for a calendar program.", ("calendars",)),
    "Focus sessions": ("People who focus together, by one clock.", ("focus",)),
    "Live events": ("Telling others, and hearing of events without a socket.", ("realtime",)),
    "Files": ("What was uploaded.", ("media",)),
    "Service": ("Health, configuration and figures.", ("service", "metrics", "trust")),
    "Documents and pages": ("These documents, and the files of the pages.", ("documents", "pages")),
}
"""By name: what it is about, and the modules. A module that none of them names is about itself."""

_TAG_OF = {module: name for name, (_, modules) in _ABOUT.items() for module in modules}


def tag_of(route: Route) -> str:
    """What a route is about."""
    module = route.handler.__module__.rpartition(".")[2]
    return _TAG_OF.get(module) or module.replace("_", " ").capitalize()


def tags(routes: Sequence[Route]) -> list[dict[str, str]]:
    """Every tag with what it is about."""
    used = {tag_of(route): route for route in routes}
    ordered = sorted(used, key=lambda name: [*_ABOUT, name].index(name))
    return [
        {"name": name, "description": _ABOUT[name][0] if name in _ABOUT else _docstring(used[name])}
        for name in ordered
    ]


def _docstring(route: Route) -> str:
    return sys.modules[route.handler.__module__].__doc__ or ""
