"""What the soak prints: one table, and the history of each message that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.real.provider import Provider
from tests.soak.audit import Verdict
from tests.soak.ledger import Ledger
from tests.soak.rows import STATES, Books

#: Messages whose history is printed; the rest is only counted.
HISTORIES = 5


def table(ledger: Ledger, verdict: Verdict) -> str:
    """Return the summary."""
    lines = [
        ("answered 201", verdict.accepted),
        ("no answer", f"{verdict.unknown}, of which {verdict.of_unknown} were stored"),
        ("other answers", _counts({s: n for s, n in ledger.statuses.items() if s not in (0, 201)})),
        ("in the store", sum(verdict.states.values())),
        *((f"  {state}", verdict.states[state]) for state in STATES if verdict.states[state]),
        ("received by phones", f"{verdict.delivered_to_phones} different messages"),
        ("received again", sum(verdict.duplicates.values())),
        *((f"  {why}", number) for why, number in sorted(verdict.duplicates.items())),
        ("  by the phone's character", _counts(_again_by_character(ledger))),
        ("failures", _counts(ledger.faults)),
        ("lost", sum("LOST" in finding for finding in verdict.findings)),
        ("findings", len(verdict.findings)),
    ]
    return "\n".join(f"{name:<42} {value}" for name, value in lines)


def histories(ledger: Ledger, books: Books, verdict: Verdict, provider: Provider) -> str:
    """Return every finding, and all that is known of the first few messages."""
    shown = [f"* {finding}" for finding in verdict.findings[:50]]
    for finding in verdict.findings[:HISTORIES]:
        uid = finding.partition(":")[0]
        shown += ["", f"--- {finding}", *history(uid, ledger, books, provider)]
    return "\n".join(shown)


def history(uid: str, ledger: Ledger, books: Books, provider: Provider) -> Iterator[str]:
    """Return what everybody knows of one message, by time, and the log lines that name it."""
    events: list[tuple[float, str]] = []
    post = ledger.accepted().get(uid)
    phones = {receipt.phone for receipt in ledger.receipts.get(uid, [])}
    if post:
        phones.add(post.app.phone)
        what = f"posted, TTL {post.ttl}, {post.urgency}, topic {post.topic!r} to {post.app.phone}"
        events += [(post.asked_at, what), (post.answered_at, f"answered {post.status}")]
    for receipt in ledger.receipts.get(uid, []):
        events.append((receipt.at, f"received by {receipt.phone}, which says {receipt.answer}"))
        if receipt.answered_at:
            events.append((receipt.answered_at, "answered"))
    for row in books.rows:
        if row.uid == uid:
            events.append((row.settled_at / 1000 or row.accepted_at / 1000, f"the store: {row}"))
    first = min((at for at, _ in events), default=0) - 15
    last = max((at for at, _ in events), default=0) + 15
    for failure in ledger.failures:
        if failure.of in {"everybody", *phones} and first <= failure.end <= last:
            events.append((failure.begin, f"{failure.what} until {_clock(failure.end)}"))
    yield from (f"{_clock(at)} {what}" for at, what in sorted(events))
    for process in (provider.http, provider.component):
        yield from (line for line in process.log_text().splitlines() if uid and uid in line)


def _again_by_character(ledger: Ledger) -> Counter[str]:
    """Return the number of second and further receipts; resources are characters with a number."""
    again: Counter[str] = Counter()
    for receipts in ledger.receipts.values():
        character = receipts[0].phone.rpartition("/")[2].rstrip("0123456789")
        again[character] += len(receipts) - 1
    return +again


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]


def _counts(counts: dict[str, int] | dict[int, int]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(counts.items())) or "none"
