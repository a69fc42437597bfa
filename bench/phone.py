"""One phone: an account with one resource, which can leave, sleep (XEP-0198) and come back.

Stanzas are cut and written as text: a phone must not cost what the servers under test then lack.
It sends no presence but the directed one, so that pushes are all it receives.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import sys
import time
from array import array
from dataclasses import dataclass

from bench import wire
from tests.real.textlogin import log_in, say

NAMESPACE = "http://gultsch.de/xmpp/drafts/unified-push"
_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
_SM = "urn:xmpp:sm:3"
_IQ_END = b"</iq>"
_PUSH_END = b"</push>"


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


@dataclass(frozen=True)
class Kind:
    """What all phones of a run have in common."""

    host: str
    port: int
    delay: float  # seconds until a push is answered
    managed: bool  # with stream management: such a phone can sleep


class Phone(asyncio.Protocol):
    """Sessions of one account, one after the other."""

    def __init__(self, kind: Kind, user: str, password: str, receipts: Receipts) -> None:
        self._kind = kind
        self._login = (kind.port, kind.host, user, password)
        self._receipts = receipts
        self._components: list[str] = []
        self._writer: asyncio.StreamWriter | None = None
        self._rest = b""
        self._counted = 0  # stanzas of this session, for XEP-0198
        self._session = b""
        self._away = True
        self._registered: asyncio.Future[str] | None = None

    async def come(self) -> None:
        """Open a new session; say so to every component it has registered with."""
        reader, writer = await log_in(*self._login)
        bind = f"<bind xmlns='{_BIND}'><resource>phone</resource></bind>"
        await say(reader, writer, f"<iq type='set' id='bind'>{bind}</iq>", _IQ_END)
        if self._kind.managed:
            enable = f"<enable xmlns='{_SM}' resume='true'/>"
            self._session = _attribute(await say(reader, writer, enable, b"/>"), b" id='")
        self._counted = 0
        self._listen(writer, b"")
        self._write("".join(f"<presence to='{jid}'/>" for jid in self._components).encode())

    async def resume(self) -> None:
        """Wake up: go on with the session."""
        reader, writer = await log_in(*self._login)
        previd = self._session.decode()
        resume = f"<resume xmlns='{_SM}' h='{self._counted}' previd='{previd}'/>"
        await say(reader, writer, resume, b"<resumed", b">")
        rest = bytes(reader._buffer)  # type: ignore[attr-defined]  # what came with the answer
        self._listen(writer, rest)

    def leave(self, *, sleep: bool) -> None:
        """Log out, or lose the network and keep the session."""
        assert self._writer
        self._away = True
        if not sleep:
            self._write(b"<presence type='unavailable'/></stream:stream>")
        self._writer.close()

    async def register(self, component: str) -> str:
        """Ask a component for an endpoint, after directed presence as Conversations sends it."""
        self._registered = asyncio.get_running_loop().create_future()
        self._components.append(component)
        names = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in "ab"]
        self._write(
            f"<presence to='{component}'/><iq type='set' id='register' to='{component}'>"
            f"<register xmlns='{NAMESPACE}' application='{names[0]}' instance='{names[1]}'/></iq>"
            "".encode()
        )
        async with asyncio.timeout(60):
            return await self._registered

    def data_received(self, data: bytes) -> None:
        """Answer every whole push, keep what is not whole yet."""
        now = time.monotonic_ns()
        data = self._rest + data
        done = 0
        answers = []
        while (end := data.find(_IQ_END, done)) >= 0:
            iq = data[data.rindex(b"<iq", done, end) : end]
            self._counted += 1
            if iq.endswith(_PUSH_END):
                head = iq[: iq.index(b">")]
                answers.append(
                    b"<iq type='result' id='%b' to='%b'/>"
                    % (_attribute(head, b" id='"), _attribute(head, b" from='"))
                )
                payload = iq[: -len(_PUSH_END)]
                self._receipts.note(payload[payload.rindex(b">") + 1 :], now)
            else:
                self._take_registered(iq)
            done = end + len(_IQ_END)
        self._rest = data[done:]
        if b"<r " in data and self._kind.managed:
            self._acknowledge()
        if answers:
            self._answer(b"".join(answers))

    def _answer(self, answers: bytes) -> None:
        if self._kind.delay:
            loop, writer = asyncio.get_running_loop(), self._writer
            loop.call_later(self._kind.delay, self._write, answers, writer)
        else:
            self._write(answers)

    def _acknowledge(self) -> None:
        """Confirm what has come (XEP-0198), and keep no request that was answered."""
        self._write(b"<a xmlns='%b' h='%d'/>" % (_SM.encode(), self._counted))
        if b"<iq" not in self._rest:
            self._rest = self._rest.rpartition(b">")[2]

    def _take_registered(self, answer: bytes) -> None:
        if self._registered is None or self._registered.done():
            return
        if b"endpoint='" in answer:
            self._registered.set_result(_attribute(answer, b"endpoint='").decode())
        else:
            self._registered.set_exception(RuntimeError(answer.decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        """A phone that lost its session would spoil everything: say so."""
        if self._away:
            return
        if self._registered is not None and not self._registered.done():
            self._registered.set_exception(RuntimeError("the session has ended"))
        print(f"a phone has lost its session: {exc}", file=sys.stderr)

    def _write(self, data: bytes, writer: asyncio.StreamWriter | None = None) -> None:
        """Write, unless the session that it belongs to has ended."""
        writer = writer or self._writer
        if writer and writer is self._writer and not writer.transport.is_closing():
            writer.transport.write(data)

    def _listen(self, writer: asyncio.StreamWriter, rest: bytes) -> None:
        self._writer = writer  # kept: a forgotten writer closes its connection
        self._rest, self._away = b"", False
        writer.transport.set_protocol(self)
        if rest:
            self.data_received(rest)


def _attribute(text: bytes, mark: bytes) -> bytes:
    start = text.index(mark) + len(mark)
    return text[start : text.index(b"'", start)]
