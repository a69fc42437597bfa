"""The live view: who may watch, and what is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from daphne.server import Server
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings
from twisted.internet.abstract import FileDescriptor

from pushprovider import live
from pushprovider.fields import now_ms
from pushprovider.http import websocket
from pushprovider.http.websocket import is_own_origin, is_slow
from pushprovider.live import MOST, ROOM, End, News, feed
from pushprovider.models import Message, MessageState
from pushprovider.store import registrations
from pushprovider.store.attempts import Answer as Outcome
from pushprovider.store.attempts import Work
from pushprovider.store.settle import write_down
from tests.cast import ApplicationServer, Phone, asking

ORIGIN = "https://push.example.org"
PATH = "/ws/live/"
Story = Callable[["Browser"], Awaitable[None]]


class Browser:
    """One websocket through the front door."""

    def __init__(self, cookie: str = "", origin: str = ORIGIN, path: str = PATH) -> None:
        from upconfig.asgi import application

        headers = [(b"host", b"192.0.2.7"), (b"origin", origin.encode("latin-1"))]
        headers += [(b"cookie", f"sessionid={cookie}".encode())] if cookie else []
        self._socket = WebsocketCommunicator(application, path, headers)

    async def connect(self) -> bool:
        """Return whether the handshake succeeds."""
        return bool((await self._socket.connect(timeout=5))[0])

    async def events(self) -> list[dict[str, Any]]:
        """Return the next frame."""
        found: list[dict[str, Any]] = json.loads(await self._socket.receive_from(timeout=5))
        return found

    async def close_code(self) -> int:
        """Wait until the server closes, and return its code."""
        message = await self._socket.receive_output(timeout=5)
        assert message["type"] == "websocket.close"
        return int(message["code"])

    async def silent(self) -> bool:
        return bool(await self._socket.receive_nothing(timeout=0.3))

    async def leave(self) -> None:
        await self._socket.disconnect()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(live, "EVERY", 0.02)
    feed.cache_clear()
    yield
    feed.cache_clear()


@pytest.fixture
def operator(store: None) -> Iterator[User]:
    yield User.objects.create_user("ops", password="a password of ops", is_staff=True)
    User.objects.all().delete()


def login(user: User) -> str:
    """Return the session cookie of a login."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def watch(cookie: str, story: Story) -> None:
    """Let a browser that may watch live through a story."""

    async def told() -> None:
        browser = Browser(cookie)
        assert await browser.connect()
        await story(browser)
        await browser.leave()
        assert feed().watchers == 0

    asyncio.run(told())


async def post(endpoint: str, **headers: str) -> str:
    """POST, and return the message's id."""
    answer = await asking("POST", endpoint, b"hello", {"ttl": "60", **headers})
    return answer.headers["location"].rpartition("/")[2]


def settle(phone: Phone, state: MessageState, condition: str = "") -> None:
    """Let the component write down what became of all that waits."""
    waiting = [message for message in phone.messages() if message.state <= MessageState.SENT]
    done = [Outcome(m.uid, phone.jid, state, condition=condition) for m in waiting]
    write_down(Work(answers=done), now_ms())


# --- what is shown ------------------------------------------------------------------------------


def test_a_delivery_is_shown(operator: User, phone: Phone) -> None:
    endpoint = phone.register()
    application = phone.registration().application

    async def story(browser: Browser) -> None:
        uid = await post(endpoint)
        await sync_to_async(settle)(phone, MessageState.DELIVERED)
        [event] = await browser.events()
        assert abs(event.pop("time") - now_ms()) < 60_000
        assert 0 <= event.pop("delay") < 60_000
        assert event == {
            "id": uid,
            "state": "delivered",
            "jid": "juliet@localhost",
            "application": application[:8],
            "size": 5,
            "condition": "",
        }

    watch(login(operator), story)


def test_a_failure_is_shown_with_its_reason(operator: User, phone: Phone) -> None:
    endpoint = phone.register()

    async def story(browser: Browser) -> None:
        await post(endpoint)
        await sync_to_async(settle)(phone, MessageState.EVICTED, "undefined-condition")
        [event] = await browser.events()
        assert (event["state"], event["delay"]) == ("evicted", None)
        assert event["condition"] == "undefined-condition"

    watch(login(operator), story)


def test_what_the_web_process_ends_is_shown(operator: User, phone: Phone) -> None:
    endpoint = phone.register()

    async def story(browser: Browser) -> None:
        first = await post(endpoint, topic="news")
        second = await post(endpoint, topic="news")
        assert [(e["id"], e["state"]) for e in await browser.events()] == [(first, "replaced")]
        await sync_to_async(registrations.cancel)(second, now_ms())
        assert [(e["id"], e["state"]) for e in await browser.events()] == [(second, "cancelled")]

    watch(login(operator), story)


def test_what_was_before_is_not_shown(operator: User, phone: Phone) -> None:
    endpoint = phone.register()
    asyncio.run(post(endpoint))
    settle(phone, MessageState.DELIVERED)
    Message.objects.update(settled_at=phone.registration().created_at)

    async def story(browser: Browser) -> None:
        assert await browser.silent()

    watch(login(operator), story)


def test_it_shows_nothing_secret(operator: User, phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register()

    async def story(browser: Browser) -> None:
        await post(endpoint)
        await sync_to_async(settle)(phone, MessageState.DELIVERED)
        said = json.dumps(await browser.events())
        assert endpoint[-43:] not in said
        assert "hello" not in said

    watch(login(operator), story)


def end(uid: str, settled_at: int = 0) -> End:
    return End(uid, settled_at, int(MessageState.DELIVERED), "j@localhost", "a" * 44, 0, 1, "")


def test_everything_is_shown_once() -> None:
    news = News(0)
    one, two, late = end("one", 1), end("two", 3), end("late", 2)
    assert news.fresh([one]) == [one]
    assert news.fresh([two, one]) == [two]
    assert news.fresh([two, late, one]) == [late]
    assert news.fresh([two, late, one]) == []


def test_it_remembers_no_more_than_it_must() -> None:
    news = News(0)
    for number in range(100 * MOST):
        news.fresh([end(str(number))])
    assert len(news._seen) == 4 * MOST


def test_it_looks_back_a_little_but_not_before_the_start() -> None:
    assert News(1000).since(2000) == 1000
    assert News(1000).since(60_000) == 60_000 - live.LATE


# --- who may watch ------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}, None])
def test_only_active_staff(operator: User, change: dict[str, bool] | None) -> None:
    cookie = login(operator) if change is not None else "madeup"
    User.objects.update(**(change or {}))

    async def told() -> None:
        browser = Browser(cookie)
        assert await browser.connect()
        assert await browser.close_code() == websocket.NOT_PERMITTED == 4403
        assert feed().watchers == 0

    asyncio.run(told())


@pytest.mark.parametrize("how", ["no staff", "inactive", "logged out", "new password"])
def test_a_long_socket_ends_with_the_permission(
    operator: User, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "LOOK_AGAIN", 0.05)
    cookie = login(operator)

    def lose() -> None:
        if how == "logged out":
            Session.objects.all().delete()
        if how == "new password":
            operator.set_password("another password")
        operator.is_staff = how != "no staff"
        operator.is_active = how != "inactive"
        operator.save()

    async def story(browser: Browser) -> None:
        assert await browser.silent()
        await sync_to_async(lose)()
        assert await browser.close_code() == 4403

    watch(cookie, story)


OWN = [
    ORIGIN,
    "https://push.example.org:443",
    "HTTPS://PUSH.EXAMPLE.ORG",
    "https://ops.example.net",
]
FOREIGN = [
    "",
    "null",
    "http://push.example.org",
    "https://push.example.org:444",
    "https://push.example.org.evil.example",
    "https://evil.example/https://push.example.org",
    "https://badexample.net",
    "https://[",
    "https://push.example.org:99999",
    "push.example.org",
    "\xff",
]


@pytest.mark.parametrize("origin", [*OWN, *FOREIGN])
def test_only_our_own_pages(operator: User, origin: str, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN, "https://*.example.net"]
    cookie = login(operator)

    async def told() -> bool:
        browser = Browser(cookie, origin)
        connected = await browser.connect()
        if connected:
            await browser.leave()
        return connected

    assert asyncio.run(told()) is (origin in OWN)


def test_a_program_without_an_origin_is_refused() -> None:
    assert not is_own_origin({"headers": []})
    assert not is_own_origin({"headers": [(b"origin", ORIGIN.encode())] * 2})


@pytest.mark.parametrize("path", ["/ws/", "/ws/live", "/ws/live/x", "/", "/push/a"])
def test_no_other_path_has_a_websocket(operator: User, path: str) -> None:
    cookie = login(operator)
    assert asyncio.run(Browser(cookie, path=path).connect()) is False


# --- what it costs ------------------------------------------------------------------------------


def test_while_nobody_watches_nothing_is_asked(
    operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def look(since: int) -> list[End]:
        looks.append(since)
        return []

    monkeypatch.setattr(live, "ended", look)

    async def told() -> None:
        browsers = [Browser(login_cookie) for _ in range(3)]
        for browser in browsers:
            assert await browser.connect()
        assert await browsers[0].silent()
        for browser in browsers:
            await browser.leave()
        seen = len(looks)
        await asyncio.sleep(0.2)
        assert 0 < len(looks) == seen < 40  # one look for all three, and none afterwards

    login_cookie = login(operator)
    asyncio.run(told())


def test_a_queue_that_is_full_drops_frames() -> None:
    async def told() -> int:
        watcher = feed().join()
        for _ in range(1000):
            feed()._spread("x" * 1000)
        feed().leave(watcher)
        return watcher.qsize()

    assert asyncio.run(told()) == ROOM


def test_a_browser_that_does_not_read_is_noticed() -> None:
    class Reactor:
        def addWriter(self, _writer: object) -> None:  # noqa: N802  # Twisted's name
            """The browser does not read: nothing is ever written."""

    transport = FileDescriptor(Reactor())  # type: ignore[arg-type]
    transport.connected = 1
    sends: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        sends.append(send)

    class Protocol:
        pass

    async def told() -> None:
        protocol = Protocol()
        protocol.transport = transport  # type: ignore[attr-defined]
        daphne = Server(application, endpoints=["tcp:0"])
        daphne.connections = {protocol: {}}
        daphne.create_application(protocol, {"type": "websocket"})
        await asyncio.sleep(0)

    asyncio.run(told())
    [send] = sends
    assert not is_slow(send)
    transport.write(b"x" * 100_000)
    assert is_slow(send)


def test_any_other_server_is_not_called_slow() -> None:
    assert not is_slow(print)
    assert not is_slow(partial(print))
    assert not is_slow(partial(print, object()))
