"""The state machine of a device: each rule is one test, with its reason."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from pushprovider.rules import TABLE, Event, Flight, Rule, State, Timer, retry_delay, spread, window

S, E, F, T = State, Event, Flight, Timer
ANY = list(State)


def then(state: State, event: Event) -> Rule:
    return TABLE[state, event]


def test_it_has_a_rule_for_every_state_and_event() -> None:
    assert set(TABLE) == set(itertools.product(State, Event))


@pytest.mark.parametrize("state", ANY)
def test_a_new_session_sends_everything_again_at_once(state: State) -> None:
    assert then(state, E.AVAILABLE) == Rule(S.OPEN, F.REQUEUE, T.SESSION_GRACE)


@pytest.mark.parametrize("state", ANY)
def test_the_end_of_a_session_holds_everything(state: State) -> None:
    rule = then(state, E.UNAVAILABLE)
    assert (rule.then, rule.flight) == (S.HELD, F.REQUEUE)


@pytest.mark.parametrize("state", [S.OPEN, S.PROBING, S.SETTLING])
def test_an_error_holds_the_device_and_starts_the_back_off(state: State) -> None:
    assert then(state, E.ERROR) == Rule(S.HELD, F.KEEP, T.RETRY)


def test_the_errors_of_one_window_are_one_failure() -> None:
    assert then(S.HELD, E.ERROR) == Rule(S.HELD, F.KEEP, T.KEEP)


@pytest.mark.parametrize("state", [S.OPEN, S.PROBING, S.HELD])
def test_a_result_opens_the_device(state: State) -> None:
    assert then(state, E.RESULT).then is S.OPEN


def test_a_late_result_does_not_cut_the_wait_for_the_others() -> None:
    assert then(S.SETTLING, E.RESULT) == Rule(S.SETTLING, F.KEEP, T.KEEP)


@pytest.mark.parametrize("state", [S.OPEN, S.PROBING, S.HELD])
def test_a_register_gives_a_resumed_session_time_to_answer(state: State) -> None:
    assert then(state, E.REGISTERED) == Rule(state, F.KEEP, T.REGISTER_GRACE)


@pytest.mark.parametrize("state", [S.OPEN, S.PROBING, S.HELD])
def test_after_a_registers_grace_what_is_unanswered_is_sent_again(state: State) -> None:
    assert then(state, E.GRACE_OVER) == Rule(S.OPEN, F.REQUEUE_OLD, T.STOP)


@pytest.mark.parametrize("state", ANY)
def test_a_new_link_waits_for_old_answers(state: State) -> None:
    assert then(state, E.LINK_UP) == Rule(S.SETTLING, F.KEEP, T.LINK_GRACE)


def test_after_a_links_grace_one_message_finds_out() -> None:
    assert then(S.SETTLING, E.GRACE_OVER) == Rule(S.PROBING, F.REQUEUE_OLD, T.STOP)


def test_a_held_device_is_tried_when_its_retry_is_due() -> None:
    assert then(S.HELD, E.RETRY_DUE) == Rule(S.PROBING, F.REQUEUE_OLD, T.STOP)


@pytest.mark.parametrize("state", ANY)
def test_silence_is_over_after_the_longest_time_a_server_keeps_an_iq(state: State) -> None:
    assert then(state, E.ACK_TIMEOUT).flight is F.REQUEUE_OLD


def test_after_long_silence_one_message_finds_out() -> None:
    assert then(S.OPEN, E.ACK_TIMEOUT).then is S.PROBING


def test_nothing_but_these_events_sends_an_unanswered_message_again() -> None:
    again = {event for (_, event), rule in TABLE.items() if rule.flight is not F.KEEP}
    assert again == {E.AVAILABLE, E.UNAVAILABLE, E.GRACE_OVER, E.RETRY_DUE, E.ACK_TIMEOUT}


def test_those_that_went_at_once_are_not_tried_at_once() -> None:
    delays = [spread(60_000, f"u{number}@localhost/phone") for number in range(1000)]
    assert 45_000 <= min(delays) < 46_000
    assert 59_000 < max(delays) <= 60_000
    assert delays == [spread(60_000, f"u{number}@localhost/phone") for number in range(1000)]
    seconds = Counter(delay // 1000 for delay in delays)
    assert max(seconds.values()) < 120


def test_the_back_off_doubles_from_one_minute_to_one_hour() -> None:
    minutes = [retry_delay(failures) // 60_000 for failures in range(1, 9)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]


def test_windows_protect_the_phone() -> None:
    assert [window(state, 16) for state in (S.OPEN, S.PROBING, S.HELD, S.SETTLING)] == [16, 1, 0, 0]
