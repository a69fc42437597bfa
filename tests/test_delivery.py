"""The delivery loop over a real store: one cycle at a time, the clock is a number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from pushprovider import tokens
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.delivery import Delivery
from pushprovider.devices import Devices
from pushprovider.models import Account, HourlyCount, Message, MessageState, Registration
from pushprovider.rules import Event
from pushprovider.store import housekeeping, registrations
from pushprovider.store.attempts import Claimed
from pushprovider.store.post import Accepted, Limits, Post
from pushprovider.store.save import save
from tests.trouble import READ_ONLY, statement

pytestmark = pytest.mark.django_db(transaction=True)

START = 1_800_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND
SENT_ALL = 10**9  # a crashed process may have sent everything
JULIET = "juliet@localhost"
PHONE = f"{JULIET}/phone"
TABLET = f"{JULIET}/tablet"


class Wire:
    """Takes what the loop writes, as the XMPP server would."""

    def __init__(self) -> None:
        self.is_up = True
        self.is_congested = False
        self.refuses = False
        self.pings = 0
        self.pushes: list[Claimed] = []

    def ping(self) -> str:
        self.pings += 1
        return f"ping-{self.pings}"

    def send_push(self, message: Claimed) -> bool:
        if not self.refuses:
            self.pushes.append(message)
        return not self.refuses

    def take(self) -> list[bytes]:
        """Return the payloads written since the last call."""
        payloads = [push.payload for push in self.pushes]
        self.pushes.clear()
        return payloads


class Play:
    """A loop, its wire and its clock. Database calls are real and made where they belong."""

    def __init__(self, maximum: int = 16) -> None:
        self.now = 0
        self.wire = Wire()
        self.thread = DatabaseThread()
        self.devices = Devices(maximum=maximum, ack_timeout=40 * MINUTE)
        self.loop = self._new_loop()
        self.uids: dict[bytes, str] = {}

    def _new_loop(self) -> Delivery:
        return Delivery(
            self.thread,
            self.wire,
            self.devices,
            clock=lambda: self.now,
            wall=lambda: START + self.now,
        )

    def restart(self) -> None:
        """A new process: nothing in memory."""
        self.devices = Devices(maximum=16, ack_timeout=40 * MINUTE)
        self.loop = self._new_loop()

    async def in_store(self, call: Callable[[], object]) -> None:
        await self.thread.run(call)

    async def post(
        self, body: bytes, device: str = PHONE, *, ttl: int = 3600, urgency: int = 2
    ) -> None:
        """An application server's POST is stored; the doorbell rings."""

        def store() -> None:
            post = Post(key=a_registration(device), body=body, ttl=ttl, urgency=urgency)
            [accepted] = save([post], START + self.now, Limits())
            assert isinstance(accepted, Accepted)
            self.uids[body] = accepted.uid

        await self.in_store(store)
        self.loop.ring()

    async def settle(self) -> list[bytes]:
        """Let the loop work until there is nothing to do; return what was written."""
        while await self.loop.cycle():
            pass
        await self.loop.cycle()
        return self.wire.take()

    def later(self, milliseconds: int) -> None:
        self.now += milliseconds

    def answers(self, body: bytes, device: str = PHONE) -> None:
        self.loop.result(self.uids[body], device)

    def fails(self, body: bytes, condition: str = "service-unavailable") -> None:
        self.loop.error(self.uids[body], PHONE, condition)

    async def state(self, body: bytes) -> str:
        def look() -> str:
            return MessageState(Message.objects.get(uid=self.uids[body]).state).label

        return await self.thread.run(look)


def a_registration(device: str) -> bytes:
    """Return the key of the device's one registration."""
    account, _, resource = device.partition("/")
    app = "A" * 43 + "="
    instance = resource[:1].upper() * 43 + "="
    request = registrations.Request(account, resource, app, instance)
    granted = registrations.register(request, START)
    key = tokens.check(granted.endpoint.rpartition("/")[2])
    assert key is not None
    return key


@pytest.fixture
def play() -> Iterator[Callable[[Callable[[Play], Awaitable[None]]], None]]:
    plays: list[Play] = []

    def run(story: Callable[[Play], Awaitable[None]]) -> None:
        async def begin() -> None:
            one = Play()
            plays.append(one)
            await one.loop.link_up(0)
            await story(one)

        asyncio.run(begin())

    yield run
    for one in plays:
        one.thread.close()


Run = Callable[[Callable[[Play], Awaitable[None]]], None]


def test_it_works(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        assert await on.settle() == [b"hello"]
        on.answers(b"hello")
        await on.settle()
        assert await on.state(b"hello") == "delivered"

    play(story)


def test_it_sends_in_the_order_of_arrival(play: Run) -> None:
    async def story(on: Play) -> None:
        for number in range(10):
            await on.post(b"%d" % number)
        assert await on.settle() == [b"%d" % number for number in range(10)]

    play(story)


def test_a_waiting_queue_goes_most_urgent_first(play: Run) -> None:
    async def story(on: Play) -> None:
        on.loop.happened(PHONE, Event.UNAVAILABLE)
        await on.post(b"low", urgency=1)
        await on.post(b"high", urgency=3)
        await on.post(b"normal 1")
        await on.post(b"normal 2")
        assert await on.settle() == []
        on.loop.happened(PHONE, Event.AVAILABLE)
        assert await on.settle() == [b"high", b"normal 1", b"normal 2", b"low"]

    play(story)


def test_an_offline_phone_gets_it_when_it_comes(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.fails(b"hello")
        assert await on.settle() == []
        assert await on.state(b"hello") == "queued"
        on.loop.happened(PHONE, Event.AVAILABLE)
        assert await on.settle() == [b"hello"]

    play(story)


def test_it_never_has_more_in_flight_than_the_window(play: Run) -> None:
    async def story(on: Play) -> None:
        bodies = [b"%d" % number for number in range(40)]
        for body in bodies:
            await on.post(body)
        seen = await on.settle()
        assert seen == bodies[:16]
        while len(seen) < 40:
            for body in seen[-8:]:
                on.answers(body)
            more = await on.settle()
            assert 0 < len(more) <= 16
            for body in seen:
                on.answers(body)
            seen += more
        assert seen == bodies

    play(story)


def test_no_push_waits_until_answers_are_written_nor_is_sent_twice_for_that(play: Run) -> None:
    async def story(on: Play) -> None:
        bodies = [b"%02d" % number for number in range(40)]
        for body in bodies:
            await on.post(body)
        seen = await on.settle()
        assert seen == bodies[:16]
        await on.in_store(statement(READ_ONLY))
        for body in bodies[:10]:
            on.answers(body)
        with pytest.raises(StoreTrouble):
            await on.loop.cycle()
        seen += on.wire.take()
        assert seen == bodies[:26]
        for body in bodies[10:26]:
            on.answers(body)
        assert seen + await on.settle() == bodies
        assert await on.state(bodies[0]) == "delivered"

    play(story)


def test_what_was_answered_does_not_follow_its_endpoint_to_another_device(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.settle()
        await on.in_store(lambda: Registration.objects.update(resource="tablet"))
        await on.in_store(statement(READ_ONLY))
        on.answers(b"a")
        on.loop.happened(TABLET, Event.AVAILABLE)
        with pytest.raises(StoreTrouble):
            await on.loop.cycle()
        assert await on.settle() == []
        assert await on.state(b"a") == "delivered"

    play(story)


def test_a_message_is_sent_once_while_nothing_happens(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        assert await on.settle() == [b"hello"]
        for _ in range(39):
            on.later(MINUTE)
            on.loop.ring()
            assert await on.settle() == []

    play(story)


def test_silence_for_longer_than_any_server_keeps_an_iq_sends_again(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.later(41 * MINUTE)
        assert await on.settle() == [b"hello"]

    play(story)


def test_item_not_found_ends_the_endpoint_and_its_queue(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"one")
        await on.post(b"two")
        await on.settle()
        on.fails(b"one", "item-not-found")
        await on.settle()
        assert [await on.state(body) for body in (b"one", b"two")] == ["gone", "gone"]
        revoked = await on.thread.run(lambda: Registration.objects.get().revoked_reason)
        assert revoked == "device"

    play(story)


def test_a_result_after_gone_changes_nothing(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"one")
        await on.post(b"two")
        await on.settle()
        on.fails(b"one", "item-not-found")
        await on.settle()
        on.answers(b"two")
        await on.settle()
        assert await on.state(b"two") == "gone"

    play(story)


def test_a_late_answer_in_the_same_batch_as_a_new_session_counts_once(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.later(2 * SECOND)
        on.loop.happened(PHONE, Event.AVAILABLE)
        on.answers(b"hello")
        assert await on.settle() == []
        assert await on.state(b"hello") == "delivered"

    play(story)


def test_ttl_0_is_not_kept_for_an_offline_phone(play: Run) -> None:
    async def story(on: Play) -> None:
        on.loop.happened(PHONE, Event.UNAVAILABLE)
        await on.post(b"now or never", ttl=0)
        await on.settle()
        assert await on.state(b"now or never") == "expired"

    play(story)


def test_ttl_0_has_one_attempt(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"now or never", ttl=0)
        assert await on.settle() == [b"now or never"]
        on.fails(b"now or never")
        await on.settle()
        assert await on.state(b"now or never") == "expired"

    play(story)


def test_what_is_over_is_not_sent(play: Run) -> None:
    async def story(on: Play) -> None:
        on.loop.happened(PHONE, Event.UNAVAILABLE)
        await on.post(b"old", ttl=1)
        await on.post(b"good")
        on.later(2 * SECOND)
        on.loop.happened(PHONE, Event.AVAILABLE)
        assert await on.settle() == [b"good"]
        await on.in_store(lambda: housekeeping.tidy(START + on.now))
        assert await on.state(b"old") == "expired"

    play(story)


def test_a_cancelled_message_is_not_sent(play: Run) -> None:
    async def story(on: Play) -> None:
        on.loop.happened(PHONE, Event.UNAVAILABLE)
        await on.post(b"oops")
        await on.in_store(lambda: registrations.cancel(on.uids[b"oops"], START))
        on.loop.happened(PHONE, Event.AVAILABLE)
        assert await on.settle() == []

    play(story)


def test_another_resource_cannot_answer(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.answers(b"hello", TABLET)
        await on.settle()
        assert await on.state(b"hello") != "delivered"

    play(story)


def test_a_stranger_cannot_answer_what_memory_has_forgotten(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.restart()
        on.answers(b"hello", "mallory@localhost/phone")
        await on.settle()
        assert await on.state(b"hello") == "queued"

    play(story)


def test_a_late_answer_counts_after_a_restart(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        on.restart()
        await on.loop.link_up(SENT_ALL)
        on.answers(b"hello")
        assert await on.settle() == []
        assert await on.state(b"hello") == "delivered"

    play(story)


def test_after_a_crash_it_waits_for_late_answers_then_tries_one(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"one")
        await on.post(b"two")
        await on.settle()
        on.restart()
        await on.loop.link_up(SENT_ALL)
        assert await on.settle() == []
        on.later(10 * SECOND)
        assert await on.settle() == [b"one"]
        on.answers(b"one")
        assert await on.settle() == [b"two"]

    play(story)


def test_a_phone_that_comes_while_the_link_comes_up_need_not_wait(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"one")
        await on.settle()
        on.restart()
        looking = asyncio.create_task(on.loop.link_up(SENT_ALL))
        await asyncio.sleep(0)  # it waits for the store
        on.loop.happened(PHONE, Event.AVAILABLE)
        on.loop.happened(PHONE, Event.REGISTERED)
        await looking
        assert await on.settle() == [b"one"]

    play(story)


def test_after_a_crash_what_came_in_meanwhile_is_tried_at_once(play: Run) -> None:
    async def story(on: Play) -> None:
        on.restart()
        on.later(10 * SECOND)
        await on.post(b"hello")
        await on.loop.link_up(0)
        assert await on.settle() == [b"hello"]

    play(story)


def test_a_proper_end_marks_what_is_in_flight(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        await on.loop.flush()
        assert await on.state(b"hello") == "sent"
        on.restart()
        await on.loop.link_up(0)
        assert await on.settle() == []

    play(story)


def test_a_lost_link_sends_nothing_until_it_is_back(play: Run) -> None:
    async def story(on: Play) -> None:
        on.wire.is_up = False
        await on.post(b"hello")
        assert await on.settle() == []
        on.wire.is_up = True
        await on.loop.link_up(0)
        assert await on.settle() == [b"hello"]

    play(story)


@pytest.mark.parametrize("trouble", ["down", "congested"])
def test_it_leaves_the_event_loop_to_others_while_it_cannot_send(play: Run, trouble: str) -> None:
    async def story(on: Play) -> None:
        for number in range(40):
            await on.post(b"%d" % number)
        await on.settle()
        on.loop.happened(PHONE, Event.AVAILABLE)
        on.wire.is_up, on.wire.is_congested = trouble != "down", trouble == "congested"
        cycles = 0
        work = on.loop.cycle

        async def counted() -> bool:
            nonlocal cycles
            cycles += 1
            return await work()

        on.loop.cycle = counted  # type: ignore[method-assign]
        running = asyncio.create_task(on.loop.run())
        for number in range(20):
            on.answers(b"%d" % number)
            await asyncio.sleep(0.005)
        running.cancel()
        assert cycles < 60

    play(story)


def test_one_device_with_many_messages_does_not_starve_another(play: Run) -> None:
    async def story(on: Play) -> None:
        for number in range(90):
            await on.post(b"%d" % number)
        await on.post(b"other", TABLET)
        assert b"other" in await on.settle()

    play(story)


def test_a_poisonous_message_is_set_aside(play: Run) -> None:
    async def story(on: Play) -> None:
        on.wire.refuses = True
        await on.post(b"poison")
        await on.settle()
        assert await on.state(b"poison") == "evicted"
        on.wire.refuses = False
        await on.post(b"good")
        assert await on.settle() == [b"good"]

    play(story)


def test_what_ends_the_stream_is_found_and_set_aside(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"good")
        await on.post(b"poison", TABLET)
        await on.settle()
        on.loop.poisoned("policy-violation")
        await on.loop.link_up(0)
        on.later(10 * SECOND)
        assert await on.settle() == [b"good"]
        on.loop.proven("ping-0")  # from before: it proves nothing
        assert await on.settle() == []
        on.loop.proven("ping-1")
        assert await on.settle() == [b"poison"]
        on.loop.poisoned("policy-violation")
        await on.settle()
        assert await on.state(b"poison") == "evicted"
        assert await on.state(b"good") == "queued"

    play(story)


def test_nothing_is_sent_before_it_is_known_what_waits(
    play: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is open again, and the store in trouble: what went out would be taken for dead."""
    monkeypatch.setattr("pushprovider.delivery.TROUBLE_PAUSE", 0.01)

    async def fails_once(_call: object) -> None:
        monkeypatch.undo()
        raise StoreTrouble

    async def story(on: Play) -> None:
        on.loop.link_lost()
        await on.post(b"hello")
        monkeypatch.setattr(on.thread, "run", fails_once)
        up = asyncio.create_task(on.loop.link_up(0))
        await asyncio.sleep(0)
        assert await on.settle() == []
        await up
        assert await on.settle() == [b"hello"]
        on.later(11 * SECOND)  # the phone sleeps, and its server keeps the message
        assert await on.settle() == []

    play(story)


def test_store_trouble_forgets_no_answer(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"hello")
        await on.settle()
        await on.in_store(statement(READ_ONLY))
        on.answers(b"hello")
        with pytest.raises(StoreTrouble):
            await on.loop.cycle()
        await on.settle()  # the connection was closed, so the next one may write again
        assert await on.state(b"hello") == "delivered"

    play(story)


def test_the_counters_add_up(play: Run) -> None:
    async def story(on: Play) -> None:
        for body in (b"one", b"two", b"three"):
            await on.post(body)
        await on.settle()
        on.answers(b"one")
        on.answers(b"one")
        on.fails(b"two", "item-not-found")
        await on.settle()

        def count() -> dict[str, int]:
            rows = HourlyCount.objects.filter(name="settled")
            return {row.label: row.count for row in rows}

        assert await on.thread.run(count) == {"delivered": 1, "gone": 2}

    play(story)


def test_it_looks_once_for_many_arrivals(play: Run) -> None:
    async def story(on: Play) -> None:
        for number in range(10):
            await on.post(b"%d" % number)
        assert await on.loop.cycle() is False
        assert len(on.wire.pushes) == 10

    play(story)


def test_the_account_is_one_however_many_devices_it_has(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.post(b"b", TABLET)
        assert await on.thread.run(Account.objects.count) == 1

    play(story)


# --- an endpoint moves to another device ----------------------------------------------------------


async def move(on: Play) -> None:
    """The app of the phone is on a tablet now, and registers there."""
    await on.in_store(lambda: Registration.objects.update(resource="tablet"))
    on.loop.happened(TABLET, Event.REGISTERED)


def test_what_the_old_device_answers_after_the_move_counts(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.settle()
        await move(on)
        assert await on.settle() == []
        on.answers(b"a", PHONE)
        on.later(4 * SECOND)
        assert await on.settle() == []
        assert await on.state(b"a") == "delivered"

    play(story)


@pytest.mark.parametrize("answered_first", [False, True])
@pytest.mark.parametrize("event", [*Event, None])
def test_what_the_old_device_does_after_the_move_breaks_nothing(
    event: Event | None, answered_first: bool, play: Run
) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.settle()
        await move(on)
        on.later(4 * SECOND)
        assert await on.settle() == [b"a"]
        if answered_first:
            on.answers(b"a", TABLET)
            await on.settle()
        if event is Event.ERROR:
            on.fails(b"a")
        elif event is Event.LINK_UP:
            await on.loop.link_up(0)
        elif event is not None:
            on.loop.happened(PHONE, event)
        on.later(50 * MINUTE)
        await on.settle()
        on.answers(b"a", TABLET)
        await on.settle()
        assert await on.state(b"a") == "delivered"
        assert on.devices.in_flight == 0

    play(story)


def test_the_old_devices_no_does_not_end_what_has_moved(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.settle()
        await move(on)
        on.fails(b"a", "item-not-found")
        await on.settle()
        on.later(4 * SECOND)
        assert await on.settle() == [b"a"]
        on.answers(b"a", TABLET)
        await on.settle()
        assert await on.state(b"a") == "delivered"

    play(story)


def test_a_no_from_before_the_app_came_back_does_not_end_its_endpoint(play: Run) -> None:
    async def story(on: Play) -> None:
        await on.post(b"a")
        await on.settle()
        on.fails(b"a", "item-not-found")
        on.later(1)
        register = registrations.Request(JULIET, "phone", "A" * 43 + "=", "P" * 43 + "=")
        await on.in_store(lambda: registrations.register(register, START + on.now))
        on.loop.happened(PHONE, Event.REGISTERED)
        await on.settle()
        on.later(4 * SECOND)
        assert await on.settle() == [b"a"]

    play(story)


def test_a_clock_that_was_set_back_makes_no_endless_no(play: Run) -> None:
    async def story(on: Play) -> None:
        on.now = -60 * MINUTE  # the phone has registered in what is the future now
        await on.post(b"a")
        assert await on.settle() == [b"a"]
        on.fails(b"a", "item-not-found")
        assert await on.settle() == []
        assert await on.state(b"a") == "gone"

    play(story)
