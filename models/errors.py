"""What can go wrong in the domain. Each error carries a code; handlers and sockets map it to the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from models.wording import duration


class DomainError(Exception):
    """Base of everything an operation or a query raises on purpose.

    `code` is a stable word for programs, `detail` a sentence for people.
    """

    code = "error"
    detail = "Something is wrong with this request."

    def __init__(self, detail: str | None = None, code: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.code = code or self.code


class Unauthenticated(DomainError):
    """Nobody is signed in, or no longer."""

    code = "not_authenticated"
    detail = "Authentication credentials were not provided."


class TokenNotValid(Unauthenticated):
    """A token is forged, expired, of the wrong kind or of a dead session."""

    code = "token_not_valid"
    detail = "Given token is not valid or has expired."


class SecondStepNeeded(Unauthenticated):
    """Password or provider were right, and a second step is needed before there is a session.

    `second_step` is a token that stands for the first step; the handler makes it.
    """

    code = "second_factor_required"
    detail = "A code of your app is needed as well, or a recovery code."

    def __init__(self, second_step: str, is_setup: bool) -> None:
        if is_setup:
            super().__init__(
                "Your role needs a second factor. Please set it up.", "second_factor_setup_required"
            )
        else:
            super().__init__()
        self.second_step = second_step


class SecondFactorRefused(Unauthenticated):
    """The code is not right, or it was used before."""

    code = "second_factor_invalid"
    detail = "This code is not right, or it was used before."


class Forbidden(DomainError):
    """The person may know the thing exists, but may not do this."""

    code = "permission_denied"
    detail = "You do not have permission to perform this action."


class NotFound(DomainError):
    """The thing does not exist, or the person may not know that it does."""

    code = "not_found"
    detail = "Not found."


class Gone(DomainError):
    """The thing was there, and will not come back."""

    code = "gone"
    detail = "This is not there any more."


class Invalid(DomainError):
    """Input is wrong. `errors` maps each field to its messages, all of them at once."""

    code = "invalid"
    detail = "The input is not valid."

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()))
        self.errors = errors


@contextlib.contextmanager
def all_errors() -> Iterator[Callable[..., Any]]:
    """Gives `check(call, *args)`, which calls; what is invalid is raised at the end, every field of it."""
    errors: dict[str, list[str]] = {}

    def check(call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except Invalid as error:
            errors.update(error.errors)

    yield check
    if errors:
        raise Invalid(errors)


class Malformed(DomainError):
    """The input is not even readable (no JSON, no such field structure)."""

    code = "parse_error"
    detail = "The body is not valid JSON."


class Conflict(DomainError):
    """The thing has changed meanwhile, or was done already. `current` is how it is now, where that helps."""

    code = "conflict"
    detail = "The object has changed meanwhile."

    def __init__(self, detail: str | None = None, code: str | None = None, current: Any = None) -> None:
        super().__init__(detail, code)
        self.current = current


class TooLarge(DomainError):
    """More bytes, files or items than the settings allow."""

    code = "too_large"
    detail = "The request is too large."


class UnsupportedType(DomainError):
    """A content type this endpoint does not take."""

    code = "unsupported_media_type"
    detail = "Unsupported media type."


class MethodNotAllowed(DomainError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    detail = "Method not allowed."


class Unavailable(DomainError):
    """The database is away or overloaded; the same request may work after `retry_after_s`."""

    code = "unavailable"
    detail = "The service is temporarily unavailable."
    retry_after_s = 2


class StorageFull(DomainError):
    """The disk has no room for what was sent."""

    code = "storage_full"
    detail = "The server's disk is full. Nothing was stored."


class Throttled(DomainError):
    """Too many requests; the next one has a chance after `retry_after_s`."""

    code = "throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests. Please try again in {duration(retry_after_s)}.")
        self.retry_after_s = retry_after_s


class ProviderFailed(DomainError):
    """A sign-in provider is away, or answers what makes no sense."""

    code = "provider_error"
    detail = "The sign-in provider did not answer as it should. Please try again."
