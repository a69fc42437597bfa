"""Answers between the phone and the store."""

from __future__ import annotations

from pushprovider.models import MessageState
from pushprovider.store.attempts import Answer, Sent
from pushprovider.unwritten import ENOUGH, Unwritten

DELIVERED, QUEUED = MessageState.DELIVERED, MessageState.QUEUED
PHONE = "juliet@localhost/phone"


def answers(*numbers: int, state: MessageState = DELIVERED, known: bool = True) -> list[Answer]:
    return [Answer(f"uid-{number}", PHONE, state, known=known) for number in numbers]


def test_the_first_answer_begins_the_wait() -> None:
    book = Unwritten(20)
    assert book.due() is None
    assert book.add(answers(1), 100)
    assert not book.add(answers(2), 110)
    assert book.due() == 120
    assert not book.has_enough(119)
    assert book.has_enough(120)


def test_many_answers_do_not_wait() -> None:
    book = Unwritten(20)
    book.add(answers(1), 0)
    assert book.add(answers(*range(2, ENOUGH + 1)), 1)
    assert book.has_enough(1)
    assert not book.is_plain


def test_marks_do_not_wait_for_answers() -> None:
    book = Unwritten(20)
    book.add(answers(1), 0)
    mark = Sent("uid-2", PHONE, 5)
    assert book.take([mark], answers=False).sent == [mark]
    work = book.take([], answers=True)
    assert (work.answers, work.sent) == (answers(1), [])
    assert book.due() is None


def test_what_could_not_be_written_comes_first_the_next_time() -> None:
    book = Unwritten(0)
    marks = [Sent(f"uid-{number}", PHONE, 5) for number in (1, 2)]
    book.add(answers(1), 0)
    failed = book.take(marks[:1], answers=True)
    book.add(answers(2), 0)
    book.put_back(failed)
    work = book.take(marks[1:], answers=True)
    assert (work.answers, work.sent) == (answers(1, 2), marks)


def test_only_known_deliveries_are_plain() -> None:
    for other in (answers(2, state=QUEUED), answers(2, known=False)):
        book = Unwritten(20)
        book.add(answers(1), 0)
        assert book.is_plain
        book.add(other, 0)
        assert not book.is_plain
