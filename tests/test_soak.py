"""A short soak: failures for twenty seconds, then everything adds up. The long one: `make soak`.

The rest holds the audit to account: what it must not let pass.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.soak.audit import audit
from tests.soak.ledger import Application, Failure, Ledger, Posted, Receipt
from tests.soak.rows import Books, Row
from tests.soak.run import soak

PHONE = "anna@localhost/phone"
START = 1_800_000_000


def test_everything_adds_up_after_twenty_seconds_of_failures(tmp_path: Path) -> None:
    outcome = asyncio.run(soak("prosody", tmp_path, seconds=20, seed=20, pauses=(0.2, 1.5)))
    print(outcome.text)
    assert outcome.adds_up, outcome.text


def test_the_audit_is_content_with_a_delivered_message() -> None:
    assert findings(*story()) == []


def test_the_audit_finds_a_message_that_is_not_in_the_store() -> None:
    ledger, books = story()
    books.rows.clear()
    assert "m: answered 201 but not in the store" in findings(ledger, books)


def test_the_audit_finds_a_message_that_no_phone_got() -> None:
    ledger, books = story()
    ledger.receipts.clear()
    assert findings(ledger, books) == ["m: LOST: delivered, but no phone said so"]


@pytest.mark.parametrize("state", ["queued", "expired", "replaced", "cancelled", "evicted", "gone"])
def test_the_audit_finds_an_end_without_its_reason(state: str) -> None:
    ledger, books = story(state)
    assert any(finding.startswith("m: LOST") for finding in findings(ledger, books))


def test_the_audit_finds_another_payload() -> None:
    ledger, books = story()
    ledger.receipts["m"][0].body_hash = "of nothing"
    assert findings(ledger, books) == [f"m: {PHONE} got a payload that was not posted"]


def test_the_audit_finds_a_wrong_counter() -> None:
    ledger, books = story()
    books.counters["settled", "delivered"] += 1
    assert findings(ledger, books) == ["counter ('settled', 'delivered') is 2, the rows say 1"]


def test_the_audit_wants_a_reason_for_a_duplicate() -> None:
    ledger, books = story()
    ledger.received(receipt(ledger.posts[0].app, START + 5))
    assert findings(ledger, books) == ["m: received again although its answer was not lost"]


def test_the_audit_takes_a_lost_answer_for_a_reason() -> None:
    ledger, books = story()
    ledger.received(receipt(ledger.posts[0].app, START + 15))
    ledger.failures.append(Failure("kill component", "everybody", START + 1.1, START + 3))
    assert findings(ledger, books) == []


def findings(ledger: Ledger, books: Books) -> list[str]:
    """Return what the audit finds."""
    return audit(ledger, books, per_endpoint=40, per_account=90).findings


def story(state: str = "delivered") -> tuple[Ledger, Books]:
    """One message, posted and received; the store says that it ended in this state."""
    app = Application(PHONE, "app", "instance", "http://127.0.0.1/push/x")
    post = Posted(1, app, "hash", 60, "", "normal", START, START + 0.1, 201, "m")
    ledger = Ledger(posts=[post])
    ledger.received(receipt(app, START + 1))
    settled = 0 if state == "queued" else START * 1000 + 1005
    times = (START * 1000, START * 1000 + 60_000, settled)
    row = Row(1, "m", state, 2, "", 60, 0, *times, 1, "", 1, 1, "app", "instance", None)
    counters = Counter({("accepted", "normal"): 1, ("registered", ""): 1})
    if settled:
        counters["settled", state] = 1
    if state == "delivered":
        counters["delay", "2500"] = 1
    return ledger, Books([row], counters, 1, 0)


def receipt(app: Application, at: float) -> Receipt:
    """A push that was answered at once."""
    return Receipt("m", PHONE, app, "hash", at, "result", at + 0.001)
