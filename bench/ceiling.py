"""The ceiling: a bare component that only pumps push IQs and counts the results.

No HTTP, no store, no library: what Prosody and the phones can do at most. Every phone has as many
pushes in flight as the product allows; a result lets the next one go.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import re
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from bench import wire
from bench.figures import CREATED
from pushprovider.xmpp import stanzas

#: An IQ's head, and of those the two attributes in question.
_IQ = re.compile(rb"<iq\s[^>]*>")
_ID = re.compile(rb"\sid='([^']*)'")
_FROM = re.compile(rb"\sfrom='([^']*)'")
#: What a registration would say: 44 characters each.
_NAME = "A" * 43 + "="


class Component(asyncio.Protocol):
    """The stream to Prosody."""

    def __init__(self, jid: str, secret: str) -> None:
        self._jid, self._secret = jid, secret
        self._rest = b""
        self._job: Pump | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the stream (XEP-0114)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            f"<stream:stream xmlns='{stanzas.COMPONENT}' to='{self._jid}'"
            " xmlns:stream='http://etherx.jabber.org/streams'>".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Shake hands, then take IQs."""
        data = self._rest + data
        if not self.ready.done():
            self._rest = data
            self._shake_hands()
            return
        whole = data.rfind(b">") + 1
        self._rest = data[whole:]
        now = time.monotonic_ns()
        answers = []
        for head in _IQ.findall(data, 0, whole):
            if b"type='set'" in head:  # only phones that register ask for anything here
                answers.append(self._registered(head))
            elif self._job:
                answers.append(self._job.result(_ID.search(head), now))
        self._transport.write(b"".join(answers))

    def _shake_hands(self) -> None:
        if b"<handshake" in self._rest:
            self._rest = b""
            self.ready.set_result(None)
        elif b"stream:stream" in self._rest and b">" in self._rest.partition(b"stream:stream")[2]:
            found = _ID.search(self._rest)
            if not found or b"<stream:error" in self._rest:
                self.ready.set_exception(RuntimeError(self._rest.decode(errors="replace")))
                return
            self._rest = b""
            digest = hashlib.sha1(found[1] + self._secret.encode()).hexdigest()
            self._transport.write(f"<handshake>{digest}</handshake>".encode())

    def _registered(self, head: bytes) -> bytes:
        """Give a phone an "endpoint" that says who it is: run() is asked to push to those."""
        phone, name = _FROM.search(head), _ID.search(head)
        assert phone
        assert name
        jid = phone[1].decode()
        return stanzas.registered(name[1].decode(), self._jid, jid, jid, 2**41).encode()

    async def run(self, question: dict[str, Any]) -> object:
        """Pump for so long, wait for the last results, keep the records in a file."""
        self._job = Pump(self._jid, question["number"], question["seconds"])
        self._transport.write(self._job.begin(question["endpoints"], question["window"]))
        await asyncio.sleep(question["seconds"])
        deadline = time.monotonic() + question["patience"]
        while self._job.in_flight and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self._job.give_up(time.monotonic_ns())
        wire.write_records(Path(question["file"]), self._job.records)
        return len(self._job.records) // wire.FIELDS


class Pump:
    """One run: what is in flight, and what became of the rest."""

    def __init__(self, jid: str, number: int, seconds: float) -> None:
        self._jid = jid
        self._number = number
        self._until = time.monotonic_ns() + int(seconds * 1e9)
        self.in_flight: dict[bytes, tuple[int, int, str]] = {}
        self.records: array[int] = array("Q")

    def begin(self, phones: list[str], window: int) -> bytes:
        """Return the first pushes, in turn to all phones."""
        now = time.monotonic_ns()
        return b"".join(self._push(phone, now) for _ in range(window) for phone in phones)

    def _push(self, phone: str, now: int) -> bytes:
        self._number += 1
        uid = f"{self._number:036x}"  # as long as the product's
        self.in_flight[uid.encode()] = self._number, now, phone
        body = wire.body(self._number, now)
        return stanzas.push(uid, self._jid, phone, _NAME, _NAME, body).encode()

    def result(self, uid: re.Match[bytes] | None, now: int) -> bytes:
        """Note a result; return the phone's next push, if there is time for it."""
        done = self.in_flight.pop(uid[1], None) if uid else None
        if done is None:
            return b""
        number, sent, phone = done
        self.records.extend((number, sent, now, CREATED))
        return self._push(phone, now) if now < self._until else b""

    def give_up(self, now: int) -> None:
        """Note what has no result, as status 0."""
        for number, sent, _ in self.in_flight.values():
            self.records.extend((number, sent, now, 0))
        self.in_flight.clear()


async def _connect(question: dict[str, Any]) -> Component:
    component = Component(question["jid"], question["secret"])
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: component, "127.0.0.1", question["port"])
    await asyncio.wait_for(component.ready, 10)
    return component


async def main() -> None:
    """Answer questions until there are no more."""
    gc.disable()  # nothing here is cyclic
    component: Component | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        if component is None:
            component = await _connect(question)
            print(json.dumps(True), flush=True)
        else:
            print(json.dumps(await component.run(question)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
