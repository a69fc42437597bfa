"""The quotas of stored messages, for an endpoint and for an account.

What is one too many goes: what has expired, then the least urgent, then the oldest
(docs/settings.md, MAX_STORED_PER_ENDPOINT and MAX_STORED_PER_ACCOUNT).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from pushprovider.models import MessageState
from pushprovider.store.marks import marks

_STORED = """
    SELECT account_id, registration_id, COUNT(*) FROM pushprovider_message
    WHERE account_id IN ({}) AND state <= 1 GROUP BY account_id, registration_id
"""
# The component expires messages, and may be down: what is over must not push out what is not.
_EXPIRE = """
    UPDATE pushprovider_message SET state = %s, payload = %s, settled_at = %s
    WHERE account_id = %s AND state <= 1 AND expires_at <= %s
"""
# Least urgent first, then oldest: all but so many. Not a number that was counted before: on
# PostgreSQL the component settles messages meanwhile, and the new one would go in place of an old
# one that is gone already. The last line is for the same: what is settled stays what it is.
_EVICT = """
    UPDATE pushprovider_message SET state = %s, payload = %s, settled_at = %s WHERE id IN (
        SELECT id FROM pushprovider_message WHERE {} AND state <= 1
        ORDER BY urgency DESC, id DESC LIMIT 1000000000 OFFSET %s)
    AND state <= 1
"""
_EVICT_ENDPOINT = _EVICT.format("account_id = %s AND registration_id = %s")
_EVICT_ACCOUNT = _EVICT.format("account_id = %s")


def evict(cursor: CursorWrapper, accounts: Collection[int], now: int) -> Counter[MessageState]:
    """Bring these accounts back within their quotas, in the caller's transaction.

    Return how many messages had to go, by what became of them. `now` in milliseconds since 1970.
    """
    per_endpoint, per_account = settings.MAX_STORED_PER_ENDPOINT, settings.MAX_STORED_PER_ACCOUNT
    gone: Counter[MessageState] = Counter()

    def end(state: MessageState, statement: str, *where: int) -> None:
        cursor.execute(statement, (int(state), b"", now, *where))
        gone[state] += cursor.rowcount

    for account, stored in _stored(cursor, accounts).items():
        full = [registration for registration, number in stored.items() if number > per_endpoint]
        is_full = sum(min(number, per_endpoint) for number in stored.values()) > per_account
        if full or is_full:
            end(MessageState.EXPIRED, _EXPIRE, account, now)
        for registration in full:
            end(MessageState.EVICTED, _EVICT_ENDPOINT, account, registration, per_endpoint)
        if is_full:
            end(MessageState.EVICTED, _EVICT_ACCOUNT, account, per_account)
    return gone


def _stored(cursor: CursorWrapper, accounts: Collection[int]) -> dict[int, dict[int, int]]:
    """Return how many messages wait, by account and registration."""
    cursor.execute(_STORED.format(marks(accounts)), list(accounts))
    stored: dict[int, dict[int, int]] = {}
    for account, registration, number in cursor.fetchall():
        stored.setdefault(account, {})[registration] = number
    return stored
