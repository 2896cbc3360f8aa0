"""What several settings say together, and what the files that they name hold."""

from __future__ import annotations

import ssl
from pathlib import Path

from settings.errors import SettingsError
from settings.model import Settings

_PAIRS = (
    ("tls_cert", "tls_key"),
    ("google_client_id", "google_client_secret"),
    ("github_client_id", "github_client_secret"),
    ("oidc_client_id", "oidc_issuer"),
)


def check(settings: Settings) -> None:
    """Raises SettingsError for settings that make sense alone, but not together or with their files."""
    _check_pairs(settings)
    _check_workers(settings)
    if settings.tls == "auto" and settings.tls_cert:
        raise SettingsError(
            "setting tls: auto makes a certificate of its own, and tls_cert names another one"
        )
    if settings.tls_cert and settings.tls_key:
        _check_tls(settings.tls_cert, settings.tls_key)


def _check_pairs(settings: Settings) -> None:
    """Raises SettingsError for half a configuration, which would be off or fail when it is used."""
    for pair in _PAIRS:
        _check_needs(settings, *pair)
        _check_needs(settings, *reversed(pair))
    # A public client has no secret.
    _check_needs(settings, "oidc_client_secret", "oidc_client_id")


def _check_needs(settings: Settings, name: str, needed: str) -> None:
    if getattr(settings, name) and not getattr(settings, needed):
        raise SettingsError(f"setting {name}: needs {needed}, which is empty")


def _check_workers(settings: Settings) -> None:
    """Raises SettingsError for several processes on what only one can use."""
    if settings.workers == 1:
        return
    if not settings.database_url.startswith("postgres"):
        raise SettingsError("setting workers: several need database_url, a postgresql://…; SQLite takes one")
    if not settings.redis_url:
        raise SettingsError("setting workers: several need redis_url, through which they hear of each other")


def _check_tls(cert: Path, key: Path) -> None:
    """Raises SettingsError if the two are not a certificate and the key that it belongs to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for name, path in (("tls_cert", cert), ("tls_key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"setting {name}: {path}: {error.strerror}") from None
    try:
        # OpenSSL would ask at the terminal for an encrypted key's password.
        context.load_cert_chain(cert, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(_tls_complaint(context, cert, key, error)) from None


def _tls_complaint(context: ssl.SSLContext, cert: Path, key: Path, error: Exception) -> str:
    try:
        context.load_verify_locations(cert)
    except ssl.SSLError:
        return f"setting tls_cert: {cert} holds no certificate in PEM form"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return f"setting tls_key: {key} does not belong to the certificate in {cert}"
    return f"setting tls_key: {key} holds no private key in PEM form, or an encrypted one"
