"""Whether what was evicted had to be: the quota was full, and nothing worse was kept instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.soak.rows import Row


def wrongly_evicted(
    rows: list[Row], per_endpoint: int, per_account: int, slack: int
) -> Iterator[str]:
    """Return a finding for each message that was evicted without need.

    `slack`: how far, in milliseconds, a row's times may be from the commits.
    """
    of_account: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        of_account[row.account].append(row)
    for row in rows:
        if row.state == "evicted":
            finding = _judge(row, of_account[row.account], per_endpoint, per_account, slack)
            if finding:
                yield f"{row.uid}: LOST: {finding}"


def _judge(
    evicted: Row, account: list[Row], per_endpoint: int, per_account: int, slack: int
) -> str:
    moment = evicted.settled_at
    stored = [
        row
        for row in account
        if row.accepted_at <= moment and (row.settled_at or moment) >= moment - slack
    ]
    on_endpoint = [row for row in stored if row.registration == evicted.registration]
    if len(on_endpoint) <= per_endpoint and len(stored) <= per_account:
        return f"evicted, but only {len(on_endpoint)} and {len(stored)} were stored"
    for row in on_endpoint:
        survived = row.accepted_at < moment and (row.settled_at or moment + slack) > moment + slack
        if survived and (row.urgency, row.id) < (evicted.urgency, evicted.id):
            return f"evicted, but {row.uid}, which is less urgent or older, was kept"
    return ""
