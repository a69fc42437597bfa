"""Duplicates: a message a phone got more than once. Each must have its reason.

A second copy is right only if an answer to the first was lost or never given. "Lost" means: the
component or the server was down, or the phone's session ended, around the moment of the answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from tests.soak.ledger import Failure, Ledger, Receipt

UNEXPLAINED = "UNEXPLAINED"
#: Seconds an answer may need to the component and into the store, on a busy machine.
ON_THE_WAY = 2.0
#: Seconds in which two copies that wait in one server's queue arrive together.
TOGETHER = 3.0
EVERYBODY = "everybody"


class _Failures:
    """The failures that can concern one phone, by time."""

    def __init__(self, failures: list[Failure]) -> None:
        self._of: dict[str, list[Failure]] = defaultdict(list)
        for failure in sorted(failures, key=lambda each: each.begin):
            self._of[failure.of].append(failure)
        self._begins = {of: [each.begin for each in all_] for of, all_ in self._of.items()}

    def between(self, begin: float, end: float, phone: str) -> str:
        """Return a failure that touches the time, "" if there was none."""
        for of in (EVERYBODY, phone):
            failures = self._of.get(of, [])
            # A component that is down stays so for seconds: look back a little further.
            start = bisect_left(self._begins.get(of, []), begin - 120)
            for failure in failures[start:]:
                if failure.begin > end:
                    break
                if failure.end >= begin:
                    return failure.what
        return ""


def explain(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Return, for every second and further receipt of a message, its id and the reason."""
    failures = _Failures(ledger.failures)
    asked = {post.uid: post.asked_at for post in ledger.posts if post.uid}
    for uid, receipts in ledger.receipts.items():
        for number in range(1, len(receipts)):
            earlier, again = receipts[:number], receipts[number]
            posted = asked.get(uid, earlier[0].at - 60)
            yield uid, _reason(earlier, again, posted, failures)


def _reason(earlier: list[Receipt], again: Receipt, posted: float, failures: _Failures) -> str:
    reason = ""
    for receipt in earlier:
        if receipt.answer not in ("result", "silent"):
            reason = "the phone's answer was an error"
        elif receipt.answered_at is None or receipt.answered_at > again.at:
            why = failures.between(posted, again.at, receipt.phone)
            if not why:
                return UNEXPLAINED
            reason = f"the phone had not answered, then: {why}"
        else:
            answered = receipt.answered_at
            why = failures.between(receipt.at, answered + ON_THE_WAY, receipt.phone)
            if why:
                reason = f"the answer was lost: {why}"
                continue
            # The answer arrived. Only a copy that was under way already may still come.
            before = failures.between(posted, receipt.at, receipt.phone)
            if before and again.at < answered + TOGETHER:
                return f"both copies were under way: {before}"
            return UNEXPLAINED
    return reason or UNEXPLAINED
