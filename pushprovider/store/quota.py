"""The quotas of stored messages, for an endpoint and for an account.

What is one too many goes: the least urgent first, then the oldest (docs/settings.md,
MAX_STORED_PER_ENDPOINT and MAX_STORED_PER_ACCOUNT).
"""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from pushprovider.models import MessageState
from pushprovider.store.marks import marks

_STORED = """
    SELECT account_id, registration_id, COUNT(*) FROM pushprovider_message
    WHERE account_id IN ({}) AND state <= 1 GROUP BY account_id, registration_id
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


def evict(cursor: CursorWrapper, accounts: Collection[int], now: int) -> int:
    """Bring these accounts back within their quotas, in the caller's transaction.

    Return how many messages had to go. `now` is in milliseconds since 1970.
    """
    cursor.execute(_STORED.format(marks(accounts)), list(accounts))
    per_endpoint, per_account = settings.MAX_STORED_PER_ENDPOINT, settings.MAX_STORED_PER_ACCOUNT
    evicted = (int(MessageState.EVICTED), b"", now)
    stored: dict[int, int] = {}
    number_evicted = 0
    for account, registration, number in cursor.fetchall():
        stored[account] = stored.get(account, 0) + min(number, per_endpoint)
        if number > per_endpoint:
            cursor.execute(_EVICT_ENDPOINT, (*evicted, account, registration, per_endpoint))
            number_evicted += cursor.rowcount
    for account, number in stored.items():
        if number > per_account:
            cursor.execute(_EVICT_ACCOUNT, (*evicted, account, per_account))
            number_evicted += cursor.rowcount
    return number_evicted
