"""Taking over the endpoints of a Prosody store: check each row, write in chunks, keep the count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings

from pushprovider.legacy import keys, prosody_storage, strict
from pushprovider.legacy.kinds import Kind
from pushprovider.legacy.prosody_store import Row
from pushprovider.store.imports import Entry, Fate, take
from pushprovider.xmpp import acl

#: Endpoints in one transaction: bounds how long the write lock is held.
CHUNK = 200
#: Rows that the report names, of those that could not be read.
NAMED = 20

PRIVATE, PASETO_KEY = "_private", "paseto_v3_local_key"


@dataclass
class Report:
    """What became of the rows."""

    rows: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    malformed: list[str] = field(default_factory=list)
    paseto_keys: list[str] = field(default_factory=list)
    not_allowed: int = 0


def run(
    rows: Iterable[Row],
    address: str,
    now: int,
    *,
    dry_run: bool,
    progress: Callable[[Report], None],
) -> Report:
    """Take over what is live and whole. Raises Unreadable (of the source) and DatabaseError."""
    report = Report()
    chunk: list[Entry] = []
    for entry in _entries(rows, now, report):
        chunk.append(entry)
        if len(chunk) == CHUNK:
            report.fates += take(chunk, address, now, dry_run=dry_run)
            chunk = []
            progress(report)
    report.fates += take(chunk, address, now, dry_run=dry_run)
    return report


def _entries(rows: Iterable[Row], now: int, report: Report) -> Iterator[Entry]:
    for row in rows:
        report.rows += 1
        if row.name == PRIVATE:
            _private(row, report)
            continue
        try:
            entry = _entry(row, now)
        except strict.Expired:
            report.skipped["expired"] += 1
        except strict.Wrong as wrong:
            report.skipped["malformed"] += 1
            if len(report.malformed) < NAMED:
                # The beginning only: who reads the report must not be able to push.
                report.malformed.append(f"{row.host} {row.name[:6]}…: {wrong}")
        else:
            if not acl.allows(settings.REGISTRATION_ACL, f"{entry.account}/{entry.resource}"):
                report.not_allowed += 1
            yield entry


def _entry(row: Row, now: int) -> Entry:
    if row.why:
        raise strict.Wrong(row.why)
    if prosody_storage.FORM.fullmatch(row.name) is None:
        raise strict.Wrong("not a token of 36 characters")
    try:
        said = strict.check(Kind.PROSODY_STORAGE, row.fields, strict.SECONDS, now)
    except strict.Expired:
        raise
    except strict.Wrong:
        raise strict.Wrong("sub, application, instance or exp is missing or wrong") from None
    return Entry(
        row.name,
        row.host,
        said.account,
        said.resource,
        said.application,
        said.instance,
        said.expires_at,
    )


def _private(row: Row, report: Report) -> None:
    key = row.fields.get(PASETO_KEY, "")
    try:
        keys.prosody_paseto_key(str(key))
    except keys.WrongKey:
        report.skipped["malformed"] += 1
        report.malformed.append(f"{row.host}: {row.why or 'no PASETO key in _private'}")
    else:
        if key not in report.paseto_keys:
            report.paseto_keys.append(str(key))
