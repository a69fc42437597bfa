"""All phones, in one process: each has its own account, session and connection.

They answer every push at once and note when it came. Stanzas are cut and written as text: a phone
must not cost what the servers under test then lack.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import secrets
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from bench import wire

NAMESPACE = "http://gultsch.de/xmpp/drafts/unified-push"
_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
_PUSH_END = b"</push></iq>"


class Receipts:
    """What all phones have got since the last collect()."""

    def __init__(self) -> None:
        self.flat: array[int] = array("Q")
        self.numbers: set[int] = set()

    def note(self, payload: bytes, now: int) -> None:
        """Note one push."""
        number, sent, intact = wire.read_payload(payload)
        self.numbers.add(number)
        self.flat.extend((number, sent, now, intact))


class Phone(asyncio.Protocol):
    """One session, from the moment that its resource is bound."""

    def __init__(self, writer: asyncio.StreamWriter, receipts: Receipts) -> None:
        self._writer = writer  # kept: a forgotten writer closes its connection
        self._transport = writer.transport
        self._receipts = receipts
        self._rest = b""
        self._registered: asyncio.Future[str] | None = None

    async def register(self, component: str) -> str:
        """Ask a component for an endpoint, after directed presence as Conversations sends it."""
        self._registered = asyncio.get_running_loop().create_future()
        names = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in "ab"]
        self._transport.write(
            f"<presence to='{component}'/><iq type='set' id='register' to='{component}'>"
            f"<register xmlns='{NAMESPACE}' application='{names[0]}' instance='{names[1]}'/></iq>"
            "".encode()
        )
        async with asyncio.timeout(30):
            return await self._registered

    def data_received(self, data: bytes) -> None:
        """Answer every whole push, keep what is not whole yet."""
        now = time.monotonic_ns()
        data = self._rest + data
        done = 0
        answers = []
        while (end := data.find(_PUSH_END, done)) >= 0:
            start = data.rindex(b"<iq", done, end)
            head = data[start : data.index(b">", start)]
            answers.append(
                b"<iq type='result' id='%b' to='%b'/>"
                % (_attribute(head, b" id='"), _attribute(head, b" from='"))
            )
            self._receipts.note(data[data.rindex(b">", start, end) + 1 : end], now)
            done = end + len(_PUSH_END)
        if answers:
            self._transport.write(b"".join(answers))
        self._rest = data[done:]
        if self._registered is not None and not self._registered.done():
            self._await_registered()

    def _await_registered(self) -> None:
        if (end := self._rest.find(b"</iq>")) < 0 or self._registered is None:
            return
        answer, self._rest = self._rest[:end], self._rest[end + len(b"</iq>") :]
        if b"endpoint='" in answer:
            self._registered.set_result(_attribute(answer, b"endpoint='").decode())
        else:
            self._registered.set_exception(RuntimeError(answer.decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        """A phone that lost its session would spoil everything: end loudly."""
        if self._registered is not None and not self._registered.done():
            self._registered.set_exception(RuntimeError("the session has ended"))
        print(f"a phone has lost its session: {exc}", file=sys.stderr)


def _attribute(text: bytes, mark: bytes) -> bytes:
    start = text.index(mark) + len(mark)
    return text[start : text.index(b"'", start)]


async def log_in(host: str, port: int, user: str, password: str, receipts: Receipts) -> Phone:
    """Open a session and return its phone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    header = (
        f"<stream:stream to='{host}' version='1.0' xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    for text, until in (
        (header, b"</stream:features>"),
        (f"<auth xmlns='{_SASL}' mechanism='PLAIN'>{secret}</auth>", b"<success"),
        (header, b"</stream:features>"),
        (f"<iq type='set' id='bind'><bind xmlns='{_BIND}'/></iq>", b"</iq>"),
    ):
        writer.write(text.encode())
        async with asyncio.timeout(30):
            await reader.readuntil(until)
    phone = Phone(writer, receipts)
    writer.transport.set_protocol(phone)
    return phone


class Home:
    """All phones, and what they are asked to do."""

    def __init__(self) -> None:
        self._receipts = Receipts()
        self._phones: list[Phone] = []

    async def do(self, question: dict[str, Any]) -> object:
        """Do what a line asks for and return its answer."""
        match question["do"]:
            case "log in":
                host, port = question["host"], question["port"]
                for user, password in question["users"]:
                    self._phones.append(await log_in(host, port, user, password, self._receipts))
                return len(self._phones)
            case "register":
                return [await phone.register(question["component"]) for phone in self._phones]
            case "wait":
                return await self._wait(question["pushes"], question["seconds"])
            case "collect":
                wire.write_records(Path(question["file"]), self._receipts.flat)
                self._receipts.flat = array("Q")
                self._receipts.numbers.clear()
                return True
        raise ValueError(question["do"])

    async def _wait(self, pushes: int, seconds: float) -> int:
        """Return how many different pushes came, as soon as it is `pushes` or time is up."""
        until = time.monotonic() + seconds
        # Not an event: setting it would cost every push.
        while len(self._receipts.numbers) < pushes and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return len(self._receipts.numbers)


async def main() -> None:
    """Answer questions until there are no more."""
    home = Home()
    gc.disable()  # nothing here is cyclic
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await home.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
