"""How far the active component has come, for the next one: on PostgreSQL, a row.

Every message up to there may have been sent without being written down as sent. SQLite's
components share a machine and keep it in a file (standby.py).
"""

from __future__ import annotations

from django.db import connection

# Not synced to the disk: it must survive our own death, which a commit without a sync does. What
# PostgreSQL forgets of it when it crashes itself is half a second's; the price is that a message
# may arrive twice.
_CLAIM = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE pushprovider_status SET value = %s FROM quick
    WHERE name = 'claimed' AND value::bigint < %s
"""


def claim(upto: int) -> None:
    """Messages up to this id are about to be sent. Call it outside of a transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [str(upto), upto])
