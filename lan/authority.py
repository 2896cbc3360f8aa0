"""A local authority and the certificate that it signs for this machine.

Both lie in the data folder, for its owner alone. The authority's own certificate, the root, is what each
device is taught to trust, so it lasts for ten years and may sign for this network's names and addresses only:
whoever steals its key cannot be a bank. The server's certificate lasts for a year and is made anew in time,
or when the machine has got another name or address.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_DAYS = 3650
LEAF_DAYS = 396
"""Browsers take no certificate for more than 398 days."""
_RENEW_BEFORE = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(days=1)
_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
_LOCAL_NAMES = ("local", "localhost", "lan", "home.arpa", "internal")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Signer:
    """The authority: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """The authority and the server's certificate in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root_path = folder / "root.crt"
        self.server_path = folder / "server.pem"
        """The server's key, its certificate and the root: one file, so that nobody reads half a change."""
        self._root_key_path = folder / "root.key"

    def ensure(self, names: Sequence[str], moment: datetime | None = None) -> bool:
        """Makes what is missing, about to end, or not for all of these names and addresses; whether anything
        was made. Raises OSError, ValueError (a file is damaged)."""
        moment = moment or datetime.now(UTC)
        with self._locked():
            root = self._root(names, moment)
            leaf = self._leaf()
            if leaf is not None and _is_good(leaf, root.certificate, names, moment):
                return False
            self._write(self.server_path, _make_leaf(root, names, moment))
            return True

    def root_text(self) -> bytes:
        """The root in PEM form. Raises OSError."""
        return self.root_path.read_bytes()

    def fingerprint(self) -> str:
        """The root's SHA-256, as systems show it. Raises OSError, ValueError."""
        digest = x509.load_pem_x509_certificate(self.root_text()).fingerprint(hashes.SHA256())
        return digest.hex(":").upper()

    def uncovered(self, names: Sequence[str]) -> list[str]:
        """Which of these the root may not sign for, since they came after it. Raises OSError, ValueError."""
        constraints = x509.load_pem_x509_certificate(self.root_text()).extensions.get_extension_for_class(
            x509.NameConstraints
        )
        return [name for name in names if not _is_permitted(name, constraints.value)]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Several processes start at once, and make one authority."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self.folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _root(self, names: Sequence[str], moment: datetime) -> Signer:
        if self.root_path.exists() and self._root_key_path.exists():
            certificate = x509.load_pem_x509_certificate(self.root_path.read_bytes())
            key = serialization.load_pem_private_key(self._root_key_path.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey) or _is_strange(key, certificate):
                raise ValueError(f"{self._root_key_path} does not belong to {self.root_path}")
            if certificate.not_valid_after_utc > moment:
                return Signer(certificate, key)
        root = _make_root(names, moment)
        self._write(self._root_key_path, _pem_of_key(root.key))
        self._write(self.root_path, root.certificate.public_bytes(serialization.Encoding.PEM))
        return root

    def _leaf(self) -> x509.Certificate | None:
        try:
            return x509.load_pem_x509_certificate(self.server_path.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def _write(self, path: Path, content: bytes) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _make_root(names: Sequence[str], moment: datetime) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    common_name = f"Taskroom on {next((name for name in names if not _as_address(name)), 'this machine')}"
    # Together with the organisation it tells this authority from those of other machines.
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Taskroom local authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )
    usage = _key_usage(signs_certificates=True)
    certificate = (
        _builder(subject, subject, key.public_key(), moment, moment + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(_constraints(names), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Signer(certificate, key)


def _make_leaf(root: Signer, names: Sequence[str], moment: datetime) -> bytes:
    """Key, certificate and root in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1())
    permitted = root.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    # One name that is not permitted would spoil the whole certificate.
    covered = [_general_name(name) for name in names if _is_permitted(name, permitted)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Taskroom")])
    end = min(moment + timedelta(days=LEAF_DAYS), root.certificate.not_valid_after_utc)
    identifier = root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(subject, root.certificate.subject, key.public_key(), moment, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(covered), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(root.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return _pem_of_key(key) + certificate.public_bytes(pem) + root.certificate.public_bytes(pem)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    moment: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _CLOCKS_DIFFER)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: Sequence[str]) -> x509.NameConstraints:
    """Private networks and names of a LAN, and whatever else this machine has."""
    networks: list[Network] = [ipaddress.ip_network(text) for text in _PRIVATE]
    hosts = [*_LOCAL_NAMES]
    for name in names:
        address = _as_address(name)
        if address is None:
            hosts += [] if any(_is_below(name, host) for host in hosts) else [name]
        elif not any(address in network for network in networks):
            networks.append(ipaddress.ip_network(address))
    permitted = [*map(x509.DNSName, hosts), *map(x509.IPAddress, networks)]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _is_permitted(name: str, constraints: x509.NameConstraints) -> bool:
    address = _as_address(name)
    values = [one.value for one in constraints.permitted_subtrees or ()]
    if address is not None:
        return any(not isinstance(value, str) and address in value for value in values)
    return any(isinstance(value, str) and _is_below(name, value) for value in values)


def _is_below(name: str, host: str) -> bool:
    return name == host or name.endswith(f".{host}")


def _as_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _general_name(name: str) -> x509.GeneralName:
    address = _as_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _is_good(leaf: x509.Certificate, root: x509.Certificate, names: Sequence[str], moment: datetime) -> bool:
    """Whether the certificate serves on: of this root, not about to end, and for all of the names that the
    root may sign for."""
    try:
        leaf.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        # Of another root: another name, or a signature that does not fit.
        return False
    covered = set(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    permitted = root.extensions.get_extension_for_class(x509.NameConstraints).value
    wanted = {_general_name(name) for name in names if _is_permitted(name, permitted)}
    lasts = leaf.not_valid_after_utc - moment
    # One that ends with the root cannot be renewed.
    least = timedelta(0) if leaf.not_valid_after_utc == root.not_valid_after_utc else _RENEW_BEFORE
    return wanted <= covered and lasts > least


def _is_strange(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bool:
    return key.public_key() != certificate.public_key()


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
