"""`taskroom tls`: the local authority, its certificate, and how devices are taught to trust it; and what is
wrong with a certificate that settings name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from administration import reach
from administration.reach import Unreached
from lan.certificate import authority_of, names_of
from settings import Settings, SettingsError

_HOW = """
Each device has to trust the authority once:
  Windows   open the file, Install Certificate, Local Machine, Trusted Root Certification Authorities
  macOS     open the file in Keychain Access, and under Trust choose Always Trust
  Linux     copy it to /usr/local/share/ca-certificates/taskroom-ca.crt, then update-ca-certificates
            (Fedora: /etc/pki/ca-trust/source/anchors/, then update-ca-trust; Chrome: its own settings)
  Android   Settings, Security, Encryption and credentials, Install a certificate, CA certificate
  iOS       open the address below in Safari, install the profile, then General, About,
            Certificate Trust Settings
  Firefox   Settings, Certificates, View Certificates, Authorities, Import
"""


def describe(settings: Settings, addresses: Sequence[str]) -> Iterator[str]:
    """Makes the authority and a certificate if they are missing, and tells of them. Raises SettingsError."""
    authority, names = authority_of(settings), names_of(settings)
    try:
        made = authority.ensure(names)
        yield f"{'Made' if made else 'There is already'} a certificate for {', '.join(names)}."
        yield f"Authority:   {authority.root_path}"
        yield f"Fingerprint: {authority.fingerprint()}"
        if strange := authority.uncovered(names):
            yield f"Not covered: {', '.join(strange)} (came after the authority, which may not vouch for it)"
    except (OSError, ValueError) as error:
        raise SettingsError(f"setting data_dir: no certificate can be made: {error}") from None
    yield _HOW.rstrip()
    port = urlsplit(addresses[0]).port
    yield f"\nThe same with a download, for each device: {addresses[0]}/trust"
    yield "" if settings.tls == "auto" else f"Serve with it: taskroom --host 0.0.0.0 --port {port} --tls auto"


def trouble(settings: Settings, addresses: Sequence[str]) -> str | None:
    """Why browsers will warn of the certificate that settings name, if they will."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    where = f"setting tls_cert: {settings.tls_cert}"
    try:
        certificate = reach.own_certificate(settings.tls_cert, settings.tls_key)
    except Unreached as error:
        return f"{where}: browsers warn of it: {error}"
    except OSError as error:
        return f"{where}: {error}"
    urls = [settings.backend_url] if settings.backend_url else addresses
    hosts = [urlsplit(url).hostname or "" for url in urls]
    if any(map(certificate.covers, hosts)):
        return None
    return f"{where}: it is for {', '.join(certificate.names) or 'nobody'} and not for {' or '.join(hosts)}"
