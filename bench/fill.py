"""Fill a store by SQL before its processes start: what years of service would leave there.

Rows are made inside the database, a million in seconds; foreign keys and indexes are those of the
migrations. Nothing in here belongs to the phones that are then measured.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

#: Registrations of one account, waiting messages of one endpoint, logged messages of one.
_ENDPOINTS_EACH, _WAITING_EACH, _LOGGED_EACH = 10, 100, 1000
_HOUR_MS = 3_600_000
#: No rollback and no sync while it is filled: who stops the bench throws the file away.
_FAST = """
    PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000;
    PRAGMA temp_store=MEMORY;
"""
_SERIES = """
    WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < :number - 1)
"""
_ACCOUNTS = f"""
    INSERT INTO pushprovider_account (jid, created_at, last_seen_at, blocked_reason)
    {_SERIES}
    SELECT 'filler' || (:account + n) || '@localhost', :now, :now, '' FROM series
"""
_REGISTRATIONS = f"""
    INSERT INTO pushprovider_registration
        (key, account_id, resource, application, instance, vapid,
         created_at, renewed_at, expires_at, revoked_reason)
    {_SERIES}
    SELECT randomblob(16), :account + n / :each, 'phone',
        substr(hex(randomblob(22)), 1, 43) || '=', substr(hex(randomblob(22)), 1, 43) || '=',
        '', :now, :now, :expires, ''
    FROM series
"""
# CROSS JOIN: SQLite then keeps the order, one look-up by id for each of the series.
_MESSAGES = f"""
    INSERT INTO pushprovider_message
        (uid, registration_id, account_id, state, urgency, topic, ttl, size, payload,
         accepted_at, expires_at, sent_at, sent_to, attempts, settled_at, condition)
    {_SERIES}, timed(n, at) AS (SELECT n, :begin + n * :span / :number FROM series)
    SELECT printf('%014x', at * 1000) || substr(hex(randomblob(11)), 1, 22),
        r.id, r.account_id, iif(:settled, 2, 0), 2, '', 2592000, 1024,
        iif(:settled, x'', randomblob(1024)),
        at, at + 2592000000, iif(:settled, at, NULL),
        iif(:settled, 'filler@localhost/phone', ''), :settled, iif(:settled, at + 1000, NULL), ''
    FROM timed CROSS JOIN pushprovider_registration r ON r.id = :first + n % :owners
"""


def registrations(file: Path, number: int) -> None:
    """Add so many registrations of others, ten an account."""
    with _filling(file) as store:
        _register(store, number)


def waiting(file: Path, number: int) -> None:
    """Add so many waiting messages of 1 KiB, a hundred an endpoint; their phones are offline."""
    with _filling(file) as store:
        _add_messages(store, number, _WAITING_EACH, hours=1, settled=False)


def log(file: Path, number: int) -> None:
    """Add so many delivered messages, of the last 40 hours: none is due to be deleted soon."""
    with _filling(file) as store:
        _add_messages(store, number, _LOGGED_EACH, hours=40, settled=True)


@contextmanager
def _filling(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.executescript(_FAST)
        yield store
        store.execute("PRAGMA journal_mode=WAL")  # what the product made it


def _now() -> int:
    return time.time_ns() // 1_000_000


def _register(store: sqlite3.Connection, number: int) -> int:
    """Return the id of the first new registration."""
    now = _now()
    account = _next_id(store, "account")
    accounts = -(-number // _ENDPOINTS_EACH)
    store.execute(_ACCOUNTS, {"number": accounts, "account": account, "now": now})
    first = _next_id(store, "registration")
    expires = now + 240 * _HOUR_MS
    one = {"account": account, "each": _ENDPOINTS_EACH, "now": now, "expires": expires}
    store.execute(_REGISTRATIONS, {"number": number, **one})
    return first


def _add_messages(
    store: sqlite3.Connection, number: int, each: int, *, hours: int, settled: bool
) -> None:
    """Add messages of new registrations, accepted evenly over the last hours."""
    owners = -(-number // each)
    first = _register(store, owners)
    span = hours * _HOUR_MS - 10_000
    when = {"begin": _now() - hours * _HOUR_MS, "span": span}
    whose = {"first": first, "owners": owners, "settled": int(settled)}
    store.execute(_MESSAGES, {"number": number, **when, **whose})


def _next_id(store: sqlite3.Connection, table: str) -> int:
    query = f"SELECT COALESCE(MAX(id), 0) + 1 FROM pushprovider_{table}"
    return int(store.execute(query).fetchone()[0])
