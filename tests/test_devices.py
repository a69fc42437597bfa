"""The books of the delivery loop: windows, answers, timers. Pure: the clock is a number."""

from __future__ import annotations

from pushprovider.devices import Devices
from pushprovider.models import MessageState
from pushprovider.rules import Event, spread
from pushprovider.store.attempts import Claimed, Want

PHONE = "juliet@localhost/phone"
TABLET = "juliet@localhost/tablet"
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def a_message(number: int = 1, *, device: str = PHONE, ttl: int = 60) -> Claimed:
    account, _, resource = device.partition("/")
    return Claimed(number, f"uid-{number}", account, resource, "app", "inst", b"x", ttl, 0, 0)


def books(maximum: int = 16) -> Devices:
    return Devices(maximum=maximum, ack_timeout=40 * MINUTE)


def send(devices: Devices, *numbers: int, now: int = 0, device: str = PHONE) -> None:
    for number in numbers:
        devices.sent(a_message(number, device=device), wall=now, now=now)


def wanted(devices: Devices) -> list[tuple[str, int]]:
    return [(want.device, want.number) for want in devices.wants(100)]


def test_it_sends_to_a_device_it_never_heard_of() -> None:
    assert books().offer(a_message())


def test_it_keeps_within_the_window() -> None:
    devices = books(maximum=2)
    send(devices, 1, 2)
    assert not devices.offer(a_message(3))


def test_a_result_makes_room() -> None:
    devices = books(maximum=2)
    send(devices, 1, 2)
    devices.offer(a_message(3))
    devices.result("uid-1", PHONE, 5)
    assert wanted(devices) == [(PHONE, 1)]


def test_it_does_not_overtake_what_waits() -> None:
    devices = books(maximum=2)
    send(devices, 1, 2)
    devices.offer(a_message(3))
    devices.result("uid-1", PHONE, 5)
    assert not devices.offer(a_message(4))


def test_a_result_is_delivered() -> None:
    devices = books()
    send(devices, 1, now=7)
    answer = devices.result("uid-1", PHONE, 9)
    assert answer is not None
    assert (answer.state, answer.sent_at) == (MessageState.DELIVERED, 7)


def test_a_result_from_another_resource_proves_nothing() -> None:
    devices = books()
    send(devices, 1)
    answer = devices.result("uid-1", TABLET, 9)
    assert answer is not None
    assert not answer.known
    assert devices.in_flight == 1


def test_a_result_that_memory_does_not_know_is_for_the_store() -> None:
    assert books().result("uid-9", PHONE, 0) is None


def test_an_error_keeps_the_message_and_holds_the_device() -> None:
    devices = books()
    send(devices, 1)
    [answer] = devices.error("uid-1", PHONE, "service-unavailable", 5, gone=False)
    assert (answer.state, answer.condition) == (MessageState.QUEUED, "service-unavailable")
    assert not devices.offer(a_message(2))


def test_an_error_after_a_result_is_ignored() -> None:
    devices = books()
    send(devices, 1)
    devices.result("uid-1", PHONE, 5)
    assert devices.error("uid-1", PHONE, "service-unavailable", 6, gone=False) == []
    assert devices.offer(a_message(2))


def test_a_stray_error_changes_nothing() -> None:
    devices = books()
    send(devices, 1)
    assert devices.error("uid-1", TABLET, "item-not-found", 6, gone=True) == []
    assert devices.in_flight == 1


def test_a_message_with_ttl_0_has_one_attempt() -> None:
    devices = books()
    devices.sent(a_message(1, ttl=0), wall=0, now=0)
    [answer] = devices.error("uid-1", PHONE, "service-unavailable", 5, gone=False)
    assert answer.state is MessageState.EXPIRED


def test_gone_does_not_hold_the_device() -> None:
    devices = books()
    send(devices, 1, 2)
    [answer] = devices.error("uid-1", PHONE, "item-not-found", 5, gone=True)
    assert answer.state is MessageState.GONE
    assert wanted(devices) == [(PHONE, 15)]  # it may have registered anew: then that is not so
    assert devices.accepts(a_message(3))


def test_a_result_leaves_a_registers_grace_to_the_others() -> None:
    devices = books()
    send(devices, 1, 2, 3)
    devices.error("uid-1", PHONE, "recipient-unavailable", 1 * SECOND, gone=False)
    devices.happen(PHONE, Event.REGISTERED, 2 * SECOND)
    assert devices.result("uid-2", PHONE, 3 * SECOND)
    assert [answer.uid for answer in devices.due(5 * SECOND)] == ["uid-3"]


def test_a_result_ends_the_wait_for_a_retry() -> None:
    devices = books()
    send(devices, 1, 2)
    devices.error("uid-1", PHONE, "recipient-unavailable", 0, gone=False)
    devices.result("uid-2", PHONE, 1 * SECOND)
    assert devices.due(2 * MINUTE) == []


def test_what_is_in_flight_elsewhere_is_not_fetched_while_the_grace_lasts() -> None:
    """Its endpoint has moved from the phone to the tablet, and both belong to one account."""
    devices = books()
    send(devices, 1)
    devices.happen(TABLET, Event.REGISTERED, 0)
    [want] = devices.wants(9)
    assert (want.device, want.but) == (TABLET, (1,))
    devices.fetched(want, more=False)
    devices.due(3 * SECOND)
    assert [want.but for want in devices.wants(9)] == [()]


def test_it_is_taken_over_from_the_device_that_was_asked_before() -> None:
    devices = books()
    send(devices, 1)
    send(devices, 1, device=TABLET, now=4 * SECOND)
    assert devices.in_flight == 1
    for event in (Event.UNAVAILABLE, Event.AVAILABLE, Event.ACK_TIMEOUT, Event.LINK_UP):
        assert devices.happen(PHONE, event, 5 * SECOND) == []
    assert devices.error("uid-1", PHONE, "item-not-found", 6 * SECOND, gone=True) == []
    answer = devices.result("uid-1", PHONE, 7 * SECOND)
    assert answer is not None
    assert (answer.state, answer.asked) == (MessageState.DELIVERED, PHONE)
    assert devices.in_flight == 0
    assert devices.happen(TABLET, Event.UNAVAILABLE, 8 * SECOND) == []


def test_a_new_session_makes_the_old_ones_unanswered_dead() -> None:
    devices = books()
    send(devices, 1, 2)
    answers = devices.happen(PHONE, Event.AVAILABLE, 2 * SECOND)
    assert [answer.uid for answer in answers] == ["uid-1", "uid-2"]
    assert wanted(devices) == [(PHONE, 16)]


def test_what_was_just_sent_may_be_in_the_new_session() -> None:
    devices = books()
    send(devices, 1, now=10 * SECOND)
    assert devices.happen(PHONE, Event.UNAVAILABLE, 10 * SECOND + 3) == []
    assert devices.happen(PHONE, Event.AVAILABLE, 10 * SECOND + 4) == []
    answer = devices.result("uid-1", PHONE, 10 * SECOND + 9)
    assert answer is not None
    assert answer.state is MessageState.DELIVERED


def test_what_was_just_sent_into_the_old_session_is_sent_again_soon() -> None:
    devices = books()
    send(devices, 1, now=10 * SECOND)
    devices.happen(PHONE, Event.AVAILABLE, 10 * SECOND + 4)
    [answer] = devices.due(13 * SECOND + 4)
    assert answer.uid == "uid-1"


def test_the_end_of_a_session_keeps_all_for_the_next() -> None:
    devices = books()
    send(devices, 1, 2)
    answers = devices.happen(PHONE, Event.UNAVAILABLE, 2 * SECOND)
    assert {answer.state for answer in answers} == {MessageState.QUEUED}
    assert wanted(devices) == []


def test_a_held_device_is_tried_after_a_minute_then_two() -> None:
    devices = books()
    send(devices, 1)
    devices.error("uid-1", PHONE, "service-unavailable", 0, gone=False)
    devices.due(spread(MINUTE, PHONE) - 1)
    assert wanted(devices) == []
    devices.due(MINUTE)
    assert wanted(devices) == [(PHONE, 1)]
    send(devices, 1, now=MINUTE)
    devices.error("uid-1", PHONE, "service-unavailable", MINUTE, gone=False)
    devices.due(2 * MINUTE)
    assert wanted(devices) == []
    devices.due(3 * MINUTE)
    assert wanted(devices) == [(PHONE, 1)]


def test_the_errors_of_one_window_count_once_for_the_back_off() -> None:
    devices = books()
    send(devices, 1, 2, 3)
    for number in (1, 2, 3):
        devices.error(f"uid-{number}", PHONE, "service-unavailable", number, gone=False)
    devices.due(MINUTE + 1)
    assert wanted(devices) == [(PHONE, 1)]


def test_one_answer_opens_the_rest() -> None:
    devices = books()
    devices.happen(PHONE, Event.UNAVAILABLE, 0)
    devices.due(MINUTE)
    [want] = devices.wants(10)
    send(devices, 1, now=MINUTE)
    devices.fetched(want, more=True)
    assert wanted(devices) == []
    devices.result("uid-1", PHONE, MINUTE + 5)
    assert wanted(devices) == [(PHONE, 16)]


def test_silence_alone_sends_nothing_again_for_a_long_time() -> None:
    devices = books()
    send(devices, 1)
    assert devices.due(39 * MINUTE) == []
    assert devices.overdue(39 * MINUTE) == []


def test_after_the_ack_timeout_the_oldest_is_sent_again() -> None:
    devices = books()
    send(devices, 1)
    send(devices, 2, now=30 * MINUTE)
    [answer] = devices.overdue(40 * MINUTE)
    assert answer.uid == "uid-1"


def test_a_register_sends_again_what_stays_unanswered() -> None:
    devices = books()
    send(devices, 1)
    devices.happen(PHONE, Event.REGISTERED, 10)
    send(devices, 2, now=11)
    assert devices.due(3 * SECOND) == []
    [answer] = devices.due(3 * SECOND + 10)
    assert answer.uid == "uid-1"


def test_a_register_wakes_a_held_device() -> None:
    devices = books()
    devices.happen(PHONE, Event.UNAVAILABLE, 0)
    devices.happen(PHONE, Event.REGISTERED, 10)
    devices.due(3 * SECOND + 10)
    assert wanted(devices) == [(PHONE, 16)]


def test_a_new_link_waits_ten_seconds_then_tries_one() -> None:
    devices = books()
    send(devices, 1, 2)
    devices.link_up({}, 100)
    assert wanted(devices) == []
    assert len(devices.due(10 * SECOND + 100)) == 2
    assert wanted(devices) == [(PHONE, 1)]


def test_a_late_answer_counts_on_the_next_link() -> None:
    devices = books()
    send(devices, 1)
    devices.link_up({}, 100)
    answer = devices.result("uid-1", PHONE, 200)
    assert answer is not None
    assert answer.state is MessageState.DELIVERED


def test_what_was_never_sent_need_not_wait_on_a_new_link() -> None:
    devices = books()
    devices.link_up({PHONE: False, TABLET: True}, 100)
    assert wanted(devices) == [(PHONE, 1)]


def test_a_new_session_ends_the_wait_on_a_new_link() -> None:
    devices = books()
    devices.link_up({PHONE: True}, 100)
    devices.happen(PHONE, Event.AVAILABLE, 200)
    assert wanted(devices) == [(PHONE, 16)]


def test_devices_take_turns() -> None:
    devices = books()
    devices.happen(PHONE, Event.AVAILABLE, 0)
    devices.happen(TABLET, Event.AVAILABLE, 0)
    [first] = devices.wants(1)
    devices.fetched(first, more=True)
    [second] = devices.wants(1)
    assert [first.device, second.device] == [PHONE, TABLET]


def test_what_is_put_back_during_a_look_is_looked_for_again() -> None:
    devices = books()
    send(devices, 1)
    devices.happen(PHONE, Event.REGISTERED, 0)
    [want] = devices.wants(1)
    devices.happen(PHONE, Event.AVAILABLE, 2 * SECOND)
    devices.wants(1)
    devices.fetched(want, more=False)
    assert wanted(devices) == [(PHONE, 16)]


def test_it_names_what_is_in_flight_so_that_it_is_not_fetched_twice() -> None:
    devices = books()
    send(devices, 1, 2)
    devices.offer(a_message(3))
    devices.happen(PHONE, Event.REGISTERED, 0)
    [want] = devices.wants(1)
    assert want.but == (1, 2)


def test_it_marks_as_sent_only_what_stays_unanswered() -> None:
    devices = books()
    send(devices, 1, 2)
    devices.result("uid-1", PHONE, 10)
    assert devices.unmarked(SECOND - 1) == []
    assert [mark.uid for mark in devices.unmarked(SECOND)] == ["uid-2"]
    assert devices.unmarked(2 * SECOND) == []


def test_it_forgets_devices_with_nothing_to_do() -> None:
    devices = books()
    for number in range(100):
        device = f"juliet@localhost/{number}"
        send(devices, number, device=device)
        devices.result(f"uid-{number}", device, 1)
    assert len(devices) == 0


def test_it_knows_when_to_wake_up() -> None:
    devices = books()
    assert devices.next_due() is None
    devices.happen(PHONE, Event.UNAVAILABLE, 5)
    assert devices.next_due() == spread(MINUTE, PHONE) + 5


def test_what_was_just_sent_to_an_ended_session_does_not_block_the_retry() -> None:
    devices = books()
    send(devices, 1, now=0)
    devices.happen(PHONE, Event.UNAVAILABLE, 100)  # the message may have died with the session
    [answer] = devices.due(100 + MINUTE)
    assert (answer.uid, answer.state) == ("uid-1", MessageState.QUEUED)
    assert wanted(devices) == [(PHONE, 1)]


def test_a_retry_after_an_error_sends_nothing_twice_that_a_server_may_hold() -> None:
    devices = books()
    send(devices, 1, 2, now=0)
    devices.error("uid-1", PHONE, "remote-server-timeout", 100, gone=False)
    assert devices.due(100 + MINUTE) == []


def test_the_end_of_a_session_right_after_a_new_one_may_be_that_of_the_old_one() -> None:
    """ejabberd: the presence of both may cross. So it is asked soon, with one message."""
    devices = books()
    send(devices, 1, now=1)
    devices.happen(PHONE, Event.AVAILABLE, 2 * SECOND)
    devices.wants(100)
    devices.happen(PHONE, Event.UNAVAILABLE, 2 * SECOND + 5)
    assert wanted(devices) == []
    devices.due(6 * SECOND)
    assert wanted(devices) == [(PHONE, 1)]


def test_the_end_of_a_session_that_lasted_is_its_end() -> None:
    devices = books()
    send(devices, 1, now=1)
    devices.happen(PHONE, Event.AVAILABLE, 2 * SECOND)
    devices.happen(PHONE, Event.UNAVAILABLE, 4 * SECOND)
    devices.due(40 * SECOND)
    assert wanted(devices) == []


def test_the_sessions_of_a_device_with_nothing_to_do_may_cross_too() -> None:
    devices = books()
    for name in (TABLET, PHONE):
        devices.happen(name, Event.AVAILABLE, 2 * SECOND)
        devices.wants(100)
        devices.fetched(Want(name, 16, ()), more=False)
    devices.happen(PHONE, Event.UNAVAILABLE, 2 * SECOND + 5)
    assert not devices.offer(a_message())
    devices.due(6 * SECOND)
    assert wanted(devices) == [(PHONE, 1)]


def test_two_ends_after_one_beginning_are_an_end() -> None:
    """As when a phone comes and goes: the question is asked once, and an error answers it."""
    devices = books()
    send(devices, 1, now=1)
    devices.happen(PHONE, Event.AVAILABLE, 2 * SECOND)
    devices.happen(PHONE, Event.UNAVAILABLE, 2 * SECOND + 5)
    devices.due(6 * SECOND)
    send(devices, 1, now=6 * SECOND)
    devices.error("uid-1", PHONE, "service-unavailable", 6 * SECOND + 5, gone=False)
    devices.due(40 * SECOND)
    assert wanted(devices) == []
