"""The checks of the Health page. Each is quick, asks nothing of other hosts, and never fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from pushprovider import certificate, doorbell
from pushprovider.admin import display
from pushprovider.certificate import Certificate
from pushprovider.doctor.remedies import REMEDIES
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Message, Status
from pushprovider.schema import GO_BACK, difference
from pushprovider.store import status
from pushprovider.systemchecks import NO_DEBUG, USE_HTTPS

#: Bytes free on the database's disk below which it is worth a word, or a shout.
LOW_DISK, NO_DISK = 1024**3, 200 * 1024**2
#: Milliseconds after which a backup is old, and a look at the certificate is no news.
BACKUP_OLD, CERTIFICATE_OLD = 8 * 86_400_000, 3 * 3_600_000

_LISTENER = """
    SELECT EXISTS(SELECT 1 FROM pg_stat_activity
                  WHERE datname = current_database() AND application_name = %s)
"""


@dataclass(frozen=True)
class Check:
    """What was found; `fix` says what to do about it, `code` names it for scripts."""

    name: str
    state: str  # ok, warning or bad
    text: str
    fix: str = ""
    code: str = ""


def xmpp() -> Check:
    """Is the component's stream up?"""
    name, now = "XMPP stream", now_ms()
    if status.is_up(now):
        return Check(name, "ok", f"connected as {settings.XMPP_COMPONENT_JID}")
    last = Status.objects.filter(name=status.XMPP).first()
    place = f"{settings.XMPP_COMPONENT_HOST}:{settings.XMPP_COMPONENT_PORT}"
    if last is None or now - to_ms(last.at) > status.STALE * 1000:
        since = f", last heard of {display.duration(now - to_ms(last.at))} ago" if last else ""
        fix = (
            "Start `manage.py runxmppcomponent`. If it runs, its log says why it cannot work. "
            "Messages are accepted and wait."
        )
        return Check(name, "bad", f"the component does not run{since}", fix)
    fix = (
        f"Is the XMPP server up, and does it listen for components on {place}? Does it know "
        f"{settings.XMPP_COMPONENT_JID}, with the same secret? The component's log has its answer. "
        "Messages are accepted and wait."
    )
    return Check(name, "bad", f"not connected to {place}", fix)


def intake() -> Check:
    """When did the last message come in?"""
    last = Message.objects.order_by("-id").values_list("accepted_at", flat=True).first()
    text = f"last message {display.duration(now_ms() - to_ms(last))} ago" if last else "no message"
    return Check("HTTP intake", "ok", text)


def database() -> Check:
    """Can it be written to?"""
    try:
        with transaction.atomic():
            status.tell("check", "", now_ms())
            transaction.set_rollback(True)
    except DatabaseError as error:
        fix = (
            "Senders are told to come back later. Is the disk full, or mounted read-only? Does "
            "the database belong to the user that runs the processes?"
        )
        words = f"cannot be written: {type(error).__name__}"
        return Check("Database", "bad", words, fix, "database.unwritable")
    if connection.vendor != "sqlite":
        return Check("Database", "ok", "PostgreSQL, writable", code="database.fine")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
    path = Path(str(settings.DATABASES["default"]["NAME"]))
    octets = path.stat().st_size if path.exists() else 0
    if mode != "wal" and path.exists():
        fix = (
            "Readers wait for the writer without it. SQLite cannot use WAL on network file "
            "systems: put the database on a local disk."
        )
        words = f"journal mode is {mode}, not WAL"
        return Check("Database", "warning", words, fix, "database.not-wal")
    words = f"SQLite, writable, {display.size(octets)}"
    return Check("Database", "ok", words, code="database.fine")


def disk() -> Check:
    """Is there room for the database to grow?"""
    path = Path(str(settings.DATABASES["default"]["NAME"])).parent
    if connection.vendor != "sqlite" or not path.is_dir():
        path = Path(settings.BASE_DIR)
    free = shutil.disk_usage(path).free
    state = "bad" if free < NO_DISK else "warning" if free < LOW_DISK else "ok"
    code = {"bad": "disk.full", "warning": "disk.low"}.get(state, "disk.fine")
    fix = "Make room, or keep less: MESSAGE_LOG_HOURS, STATS_DAYS, MAX_TTL."
    words = f"{display.size(free)} free"
    return Check("Disk", state, words, "" if state == "ok" else fix, code)


def bell() -> Check:
    """Can the web process wake the component at once?"""
    if connection.vendor == "postgresql":
        return _listener()
    if doorbell.path().exists():
        return Check("Doorbell", "ok", "in place", code="local.bell")
    fix = (
        "Messages are found within 5 seconds all the same. Both processes need the same RUN_DIR "
        f"({settings.RUN_DIR}), and the component makes its socket there when it starts."
    )
    words = "no component listens in RUN_DIR"
    return Check("Doorbell", "warning", words, fix, "local.doorbell")


def _listener() -> Check:
    """Is somebody listening for NOTIFY?"""
    with connection.cursor() as cursor:
        cursor.execute(_LISTENER, ["pushprovider doorbell"])
        if cursor.fetchone()[0]:
            return Check("Doorbell", "ok", "in place", code="local.bell")
    fix = (
        "Messages are found within 5 seconds all the same. A component makes its connection when "
        "it starts; it must reach PostgreSQL itself, not a pooler."
    )
    words = "no component listens on PostgreSQL"
    return Check("Doorbell", "warning", words, fix, "local.doorbell")


def public_url() -> Check:
    """Will application servers accept the endpoints' addresses?"""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme == "https":
        return Check("Public address", "ok", settings.PUBLIC_URL)
    return Check("Public address", "warning", f"{settings.PUBLIC_URL} is not https", USE_HTTPS)


def configuration() -> Check:
    """Is a switch set that suits only development?"""
    if settings.DEBUG:
        return Check("Configuration", "bad", "DEBUG is on", NO_DEBUG)
    return Check("Configuration", "ok", "safe for service")


def migrations() -> Check:
    """Does the database have the tables that this version needs, and no later ones?"""
    missing, unknown = difference()
    if unknown:
        words = f"the database is of a newer version, {unknown} unknown here"
        return Check("Migrations", "bad", words, f"{GO_BACK}.", "database.newer")
    if missing:
        fix = "Stop both processes, run `manage.py migrate`, start them."
        return Check("Migrations", "bad", f"{missing} not applied", fix, "database.migrations")
    return Check("Migrations", "ok", "all applied", code="database.migrated")


def certificate_of_url() -> Check:
    """Does PUBLIC_URL's certificate last? The component looks at it every hour."""
    name, now = "Certificate", now_ms()
    if not certificate.applies(settings.PUBLIC_URL):
        return Check(name, "ok", "not applicable", code="certificate.none")
    row = Status.objects.filter(name=status.CERTIFICATE).first()
    if row is None:
        return Check(name, "ok", "not looked at yet: the component does", code="certificate.none")
    return certificate_check(Certificate.read(row.value), now, to_ms(row.at))


def certificate_check(found: Certificate, now: int, looked_at: int) -> Check:
    """Return what a certificate is worth. Times in milliseconds since 1970."""
    state, words = found.state(now), found.words(now)
    if now - looked_at > CERTIFICATE_OLD:
        words += f", seen {display.ago(now - looked_at)}"
    if state == "ok":
        return Check("Certificate", state, words, code="certificate.fine")
    code = "certificate.bad" if state == "bad" else "certificate.soon"
    if found.code == "unreachable":
        code = "certificate.unchecked"
    return Check("Certificate", state, words, REMEDIES[code], code)


def backup() -> Check:
    """Is there a backup to fall back on?"""
    row = Status.objects.filter(name=status.BACKUP).first()
    fix = (
        "Run `manage.py backup FILE` every night (docs/operators.md). If you back up by other "
        "means, say so after each: `manage.py backup --done`."
    )
    if row is None:
        return Check("Backup", "warning", "never", fix, "backup.never")
    age = now_ms() - to_ms(row.at)
    words = display.ago(age)
    if age > BACKUP_OLD:
        return Check("Backup", "warning", words, fix, "backup.old")
    return Check("Backup", "ok", words, code="backup.fine")


ALL: tuple[Callable[[], Check], ...] = (
    xmpp,
    intake,
    database,
    disk,
    bell,
    public_url,
    migrations,
    configuration,
    certificate_of_url,
    backup,
)
