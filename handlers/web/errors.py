"""How an error of the domain is told over HTTP: its status and its JSON."""

from __future__ import annotations

from typing import Any

from models import errors
from models.errors import DomainError

STATUS: dict[type[DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.TokenNotValid: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Invalid: 400,
    errors.Malformed: 400,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.UnsupportedType: 415,
    errors.MethodNotAllowed: 405,
    errors.Throttled: 429,
    errors.ProviderFailed: 502,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}


def status_of(error: DomainError) -> int:
    """The status that tells of the error; one without its own has its nearest ancestor's."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def error_body(error: DomainError) -> dict[str, Any]:
    """The answer's JSON: a list of problems by field, or `detail` and `code`, and what helps to go on."""
    if isinstance(error, errors.Invalid):
        return error.errors
    body = {"detail": error.detail, "code": error.code}
    if isinstance(error, errors.Conflict) and error.current is not None:
        body["current"] = error.current
    if isinstance(error, errors.SecondStepNeeded):
        body["second_step"] = error.second_step
    return body
