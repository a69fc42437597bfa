"""The audit: the ledger against the product's books. Every finding names a message."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.soak import duplicates
from tests.soak.ledger import UNKNOWN, Ledger, Posted
from tests.soak.quotas import wrongly_evicted
from tests.soak.rows import URGENCIES, Books, Row

#: Two processes read the clock before they wait for the write lock: milliseconds between what a
#: row says and when it was committed.
SLACK = 1500


@dataclass
class Verdict:
    """What the audit came to: findings (none is good), duplicates by explanation, states."""

    findings: list[str] = field(default_factory=list)
    duplicates: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    unknown: int = 0
    of_unknown: int = 0  # rows of POSTs whose answer was lost
    delivered_to_phones: int = 0


def audit(ledger: Ledger, books: Books, *, per_endpoint: int, per_account: int) -> Verdict:
    """Compare everything with everything."""
    verdict = Verdict(list(ledger.complaints))
    accepted = ledger.accepted()
    known = {row.uid: row for row in books.rows}
    verdict.states.update(row.state for row in books.rows)
    verdict.accepted = len(accepted)
    verdict.unknown = sum(post.status == UNKNOWN for post in ledger.posts)
    verdict.of_unknown = len(known.keys() - accepted.keys())
    verdict.delivered_to_phones = len(ledger.receipts)
    verdict.findings += _books_hold_what_was_posted(ledger, known)
    verdict.findings += _phones_saw_what_was_posted(ledger, known)
    verdict.findings += wrongly_evicted(books.rows, per_endpoint, per_account, SLACK)
    newer = _newest_of_topic(books.rows)
    for row in books.rows:
        finding = _state_is_true(row, ledger, accepted.get(row.uid), newer)
        if finding:
            verdict.findings.append(f"{row.uid}: {finding}")
    verdict.findings += _counters_are_the_rows(books)
    for uid, why in duplicates.explain(ledger):
        verdict.duplicates[why] += 1
        if why == duplicates.UNEXPLAINED:
            verdict.findings.append(f"{uid}: received again although its answer was not lost")
    return verdict


def _books_hold_what_was_posted(ledger: Ledger, known: dict[str, Row]) -> Iterator[str]:
    accepted = ledger.accepted()
    for uid, post in accepted.items():
        row = known.get(uid)
        if row is None:
            yield f"{uid}: answered 201 but not in the store"
            continue
        names = (post.app.application, post.app.instance)
        said = (row.ttl, row.topic, URGENCIES[row.urgency], (row.application, row.instance))
        if said != (post.ttl, post.topic, post.urgency, names):
            yield f"{uid}: stored with other headers than it was posted with"
    # A POST without an answer may exist or not; more rows than those must not.
    maybe = Counter(
        (post.app.application, post.topic, post.ttl)
        for post in ledger.posts
        if post.status == UNKNOWN
    )
    extra = Counter(
        (row.application, row.topic, row.ttl) for uid, row in known.items() if uid not in accepted
    )
    for what, number in (extra - maybe).items():
        yield f"{number} messages in the store that nobody posted: {what}"


def _phones_saw_what_was_posted(ledger: Ledger, known: dict[str, Row]) -> Iterator[str]:
    accepted = ledger.accepted()
    unknown = {post.body_hash: post for post in ledger.posts if post.status == UNKNOWN}
    for uid, receipts in ledger.receipts.items():
        if uid not in known:
            yield f"{uid}: a phone got what is not in the store"
        for receipt in receipts:
            post = accepted.get(uid) or unknown.get(receipt.body_hash)
            if post is None or post.body_hash != receipt.body_hash:
                yield f"{uid}: {receipt.phone} got a payload that was not posted"
            elif post.app is not receipt.app:
                yield f"{uid}: {receipt.phone} got what was posted to {post.app.phone}"


def _newest_of_topic(rows: list[Row]) -> dict[tuple[int, str], int]:
    newest: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        newest[row.registration, row.topic] = max(newest[row.registration, row.topic], row.id)
    return newest


def _state_is_true(
    row: Row, ledger: Ledger, post: Posted | None, newer: dict[tuple[int, str], int]
) -> str:
    """Return what is wrong with the row's final state, or nothing."""
    if row.state in ("queued", "sent"):
        return f"LOST: still {row.state}, attempts {row.attempts}"
    if row.payload_size:
        return f"{row.state}, but its payload is still there"
    if post is not None and post.deleted == 204 and row.state != "cancelled":
        return f"its DELETE was answered 204, but it is {row.state}"
    receipts = ledger.receipts.get(row.uid, [])
    true = {
        "delivered": any(r.answer == "result" and r.answered_at for r in receipts),
        "expired": not row.ttl or row.settled_at >= row.accepted_at + row.ttl * 1000,
        "replaced": bool(row.topic) and newer[row.registration, row.topic] > row.id,
        "cancelled": post is None or post.deleted in (204, UNKNOWN),
        "evicted": True,  # quotas.py looks closer
        "gone": row.revoked_at is not None and (post is None or post.app.told_at > 0),
    }
    return "" if true[row.state] else f"LOST: {row.state}, but {_EVIDENCE[row.state]}"


#: What a final state needs to be true.
_EVIDENCE = {
    "delivered": "no phone said so",
    "expired": "its TTL was not over",
    "replaced": "no newer message has its topic",
    "cancelled": "no DELETE was answered 204",
    "gone": "no phone said that it does not know the registration",
}


def _counters_are_the_rows(books: Books) -> Iterator[str]:
    expected = Counter(("accepted", URGENCIES[row.urgency]) for row in books.rows)
    expected += Counter(("settled", row.state) for row in books.rows if row.settled_at)
    expected["registered", ""] = books.registrations
    expected["revoked", "device"] = books.revoked
    for what in expected.keys() | {k for k in books.counters if k[0] in {k[0] for k in expected}}:
        if books.counters[what] != expected[what]:
            yield f"counter {what} is {books.counters[what]}, the rows say {expected[what]}"
    delivered = sum(row.state == "delivered" for row in books.rows)
    delays = sum(number for (name, _), number in books.counters.items() if name == "delay")
    if delays != delivered:
        yield f"the delay histogram has {delays} messages, the rows say {delivered}"
