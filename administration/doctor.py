"""`doctor`: whether all that an installation needs is well, in plain words, and what to do about it."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from administration import reach
from administration.findings import Finding, look, ok, problem, warning
from administration.reach import Certificate, Unreached
from lan.certificate import authority_of, names_of
from models import event_log, installation, webhooks
from models.base import SECOND_US, now
from models.database import backends, upgrade
from models.database.backends import StoreError
from models.database.upgrade import Database
from models.wording import counted
from settings import Settings

SLOW_DATABASE_MS = 50
MAX_CLOCK_OFF_S, MAX_CLOCK_WRONG_S = 2, 60
RENEW_WITHIN_DAYS = 14
OLD_BACKUP_S = 7 * 86400
BACKUP_PATIENCE_S = 2 * 3600
_RELEASED = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_NO_BACKUP = "Type `taskroom backup FILE`, or set backup_every to 1d."

Trouble = Callable[[Settings], str | None]


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at an installation that is served at `addresses`; the troubles say what ails Redis and mail."""

    settings: Settings
    addresses: Sequence[str]
    redis_trouble: Trouble
    mail_trouble: Trouble

    def look(self) -> list[Finding]:
        """Everything, within some seconds."""
        return look(
            [
                ("address", self._address),
                ("port", self._port),
                ("proxy", self._proxy),
                ("database", self._database),
                ("redis", self._redis),
                ("mail", self._mail),
                ("disk", self._disk),
                ("certificate", self._certificate),
            ]
        )

    # -- how it is reached ---------------------------------------------------------------------------

    def _address(self) -> Iterator[Finding]:
        if self.settings.backend_url:
            yield ok("address", f"others use {self.settings.backend_url}.")
        elif all(map(_is_of_this_machine, self.addresses)):
            text = f"only this machine reaches {self.addresses[0]}."
            yield warning("address", text, "Start it with --host 0.0.0.0 for everybody on the LAN.")
        else:
            others = [url for url in self.addresses if not _is_of_this_machine(url)]
            yield ok("address", f"others on the LAN use {' or '.join(others)}.")

    def _port(self) -> Iterator[Finding]:
        for url in self.addresses:
            try:
                is_ours = reach.ask(url).is_taskroom
            except Unreached as error:
                advice = "Is the server started? If it is, look for a firewall before it."
                yield problem("port", f"{url} does not answer: {error}.", advice)
                continue
            if is_ours:
                yield ok("port", f"{url} answers.")
            else:
                text = f"at {url}, something else than Taskroom answers."
                yield problem("port", text, "Choose another --port, or end the other program.")

    def _proxy(self) -> Iterator[Finding]:
        url = self.settings.backend_url
        if not url:
            yield ok("proxy", "none is named (backend_url is empty).")
            return
        try:
            reached = reach.ask(url)
            if not reached.is_taskroom:
                raise Unreached("what answers is not Taskroom")
            trouble = reach.upgrade_trouble(url)
        except Unreached as error:
            text = f"{url} is not reached from here: {error}."
            yield problem("proxy", text, "Have it pass every path to the server's port.")
            return
        if trouble:
            advice = (
                "Have it pass the headers Upgrade, Connection and Host, and speak HTTP/1.1 to the server."
            )
            yield problem("proxy", f"it passes no WebSockets: {trouble}.", advice)
        elif url.startswith("https") and "strict-transport-security" not in reached.headers:
            advice = "Name its address with --proxy and have it set X-Forwarded-Proto, -For and -Host."
            yield warning("proxy", "the server does not know that people come by https.", advice)
        else:
            yield from self._proxy_is_named(url)

    def _proxy_is_named(self, url: str) -> Iterator[Finding]:
        is_direct = urlsplit(url).port == self.settings.port or url in self.addresses
        if is_direct or self.settings.proxy:
            yield ok("proxy", f"{url} passes requests and WebSockets.")
        else:
            text = f"{url} seems to be a proxy's, and the setting proxy is empty: everybody has its address."
            yield warning("proxy", text, "Name its address with --proxy.")

    def _certificate(self) -> Iterator[Finding]:
        settings, url = self.settings, self.settings.backend_url
        try:
            if settings.tls == "auto":
                yield from self._own_authority()
            elif settings.tls_cert and settings.tls_key:
                # That the key belongs to it was checked with the settings.
                certificate = reach.own_certificate(settings.tls_cert, settings.tls_key)
                yield from self._judge(certificate, [url] if url else self.addresses)
            elif url.startswith("https"):
                yield from self._judge(reach.shown_certificate(url), [url])
            else:
                yield ok("certificate", "none is used: what people write travels readably.")
        except Unreached as error:
            yield problem("certificate", f"browsers warn of it: {error}.", "Renew it, with its whole chain.")

    def _own_authority(self) -> Iterator[Finding]:
        authority = authority_of(self.settings)
        if not authority.server_path.exists():
            advice = "Start the server with --tls auto, or type `taskroom tls`."
            yield problem("certificate", "there is none yet.", advice)
            return
        urls = [self.settings.backend_url] if self.settings.backend_url else self.addresses
        yield from self._judge(reach.own_certificate(authority.server_path, None), urls)
        if strange := authority.uncovered(names_of(self.settings)):
            text = f"the local authority may not vouch for {', '.join(strange)}, which came after it."
            advice = "Remove data_dir/tls, type `taskroom tls`, and have each device trust the new one."
            yield warning("certificate", text, advice)

    def _judge(self, certificate: Certificate, urls: Sequence[str]) -> Iterator[Finding]:
        hosts = [urlsplit(url).hostname or "" for url in urls]
        if not any(map(certificate.covers, hosts)):
            text = f"it is for {', '.join(certificate.names) or 'nobody'} and not for {' or '.join(hosts)}."
            yield problem("certificate", text, "Have one made for the name that people use.")
        days = f"{certificate.days_left:.0f} days"
        if certificate.days_left < RENEW_WITHIN_DAYS:
            yield warning("certificate", f"it ends in {days}.", "Renew it, then restart or send SIGHUP.")
        else:
            yield ok("certificate", f"for {', '.join(certificate.names)}, {days} left; the key fits.")

    # -- what it needs -------------------------------------------------------------------------------

    def _database(self) -> Iterator[Finding]:
        try:
            looked = Database(self.settings.database_url, self.settings.data_dir).examine(_look_at_database)
        except StoreError as error:
            advice = "Start its server and look at database_url; SQLite's file is made by the first start."
            yield problem("database", f"{str(error).removeprefix('database: ')}.", advice)
            return
        unknown = sorted(looked.applied - set(upgrade.known_migrations()))
        waiting = sorted(set(upgrade.known_migrations()) - looked.applied)
        text = f"{looked.version} answers in {looked.latency_ms:.1f} ms"
        if unknown:
            advice = "Install the newer one again, or restore a backup from before."
            yield problem("database", f"{text}, but a newer Taskroom has changed it ({unknown[0]}).", advice)
        elif waiting:
            advice = "The next start does so; make a backup before."
            yield warning(
                "database", f"{text}, and is to be brought up to date by {', '.join(waiting)}.", advice
            )
        elif looked.latency_ms > SLOW_DATABASE_MS:
            yield warning(
                "database", f"{text}, which is slow.", "Move it nearer, or look what keeps it busy."
            )
        else:
            yield ok("database", f"{text} and is up to date.")
        yield from _clock(looked)
        if looked.backups is not None:
            yield from self._backups(looked.backups)
        if looked.webhooks is not None:
            yield from _webhooks(looked.webhooks)

    def _backups(self, made: installation.Backups) -> Iterator[Finding]:
        every_s = self.settings.backup_every * 3600
        if made.failed_at is not None:
            yield problem(
                "backup", "the last one failed.", "The log says why; `taskroom backup FILE` tries again."
            )
        elif made.backed_up_at is None:
            yield warning("backup", "there never was one.", _NO_BACKUP)
        else:
            age_s = (now() - made.backed_up_at) / SECOND_US
            text = f"the last one was made {_age(age_s)} ago."
            if every_s and age_s > every_s + BACKUP_PATIENCE_S:
                yield problem("backup", text, "It is late: is the server started, and what says its log?")
            elif not every_s and age_s > OLD_BACKUP_S:
                yield warning("backup", text, _NO_BACKUP)
            else:
                yield ok("backup", text)

    def _redis(self) -> Iterator[Finding]:
        if not self.settings.redis_url:
            yield ok("redis", "not used (redis_url is empty).")
        elif trouble := self.redis_trouble(self.settings):
            yield problem("redis", f"{trouble}.", "Start it. Until then events come later, and none is lost.")
        else:
            yield ok("redis", "answers.")

    def _mail(self) -> Iterator[Finding]:
        if not self.settings.smtp_url:
            advice = "Set smtp_url; until then `taskroom reset-link EMAIL` gives a link by hand."
            yield warning("mail", "none is sent (smtp_url is empty), and it stays in the queue.", advice)
        elif trouble := self.mail_trouble(self.settings):
            yield problem(
                "mail", f"{trouble}.", "Look at the host, the port, the user and the password in it."
            )
        else:
            yield ok("mail", "its server answers; nothing was sent.")

    def _disk(self) -> Iterator[Finding]:
        data_dir, least = self.settings.data_dir, self.settings.disk_free_percent
        try:
            with tempfile.NamedTemporaryFile(dir=data_dir, prefix=".doctor-") as probe:
                probe.write(bytes(65536))
                probe.flush()
            usage = shutil.disk_usage(data_dir)
        except OSError as error:
            text = f"nothing can be written to {data_dir}: {error.strerror}."
            yield problem("disk", text, "Make room, or have the folder belong to who runs the server.")
            return
        free = 100 * usage.free / (usage.total or 1)
        text = f"{usage.free / 1024**3:.1f} GiB ({free:.0f} %) are free below {data_dir}."
        if free < least:
            yield warning("disk", text, f"That is less than {least:g} %: make room, or move data_dir.")
        else:
            yield ok("disk", text)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was seen of a database. The clock is its server's, the newest event's instant is by ours."""

    version: str
    latency_ms: float
    applied: set[str]
    clock_off_s: float
    newest_event_at: int
    backups: installation.Backups | None
    webhooks: webhooks.Figures | None


def _look_at_database() -> _Looked:
    """Query."""
    version = backends.server_version()
    begun = time.monotonic()
    theirs = backends.server_clock()
    latency_s = time.monotonic() - begun
    off_s = 0.0 if theirs is None else theirs - (time.time() - latency_s / 2)
    applied = set(upgrade.applied_migrations())
    is_current = applied >= set(upgrade.known_migrations())
    backups = installation.backups() if is_current else None
    newest = event_log.newest_stored_at() if is_current else 0
    told = webhooks.figures() if is_current else None
    return _Looked(version, 1000 * latency_s, applied, off_s, newest, backups, told)


def _webhooks(found: webhooks.Figures) -> Iterator[Finding]:
    if found.failing:
        who, what = counted(found.failing, "receiver"), counted(found.waiting, "message")
        text = f"{who} cannot be told; {what} waiting."
        yield warning("webhooks", text, "Their logs, in the client under Spaces or in the room, say why.")
    else:
        yield ok("webhooks", "none is failing.")


def _clock(looked: _Looked) -> Iterator[Finding]:
    off_s, advice = abs(looked.clock_off_s), "Have both machines set theirs by NTP."
    if time.time() < _RELEASED:
        yield problem("clock", f"it says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.", "Set it, best by NTP.")
    elif looked.newest_event_at > now() + MAX_CLOCK_WRONG_S * SECOND_US:
        ahead = _age((looked.newest_event_at - now()) / SECOND_US)
        yield problem(
            "clock", f"something was stored {ahead} from now: it was set back.", "Set it, best by NTP."
        )
    elif off_s > MAX_CLOCK_WRONG_S:
        yield problem("clock", f"it is {_age(off_s)} off the database's.", advice)
    elif off_s > MAX_CLOCK_OFF_S:
        yield warning("clock", f"it is {off_s:.1f} s off the database's.", advice)
    else:
        yield ok("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, as the database has it.")


def _age(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _is_of_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
