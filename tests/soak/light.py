"""Light phones for the measurements: many in one process, which is told what to do by lines.

They cut and write stanzas as text, because a phone must not cost what is measured. They send no
presence but the directed one, so that pushes are all they receive.
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
from typing import Any

from tests.real.textlogin import log_in, say

PUSH = "http://gultsch.de/xmpp/drafts/unified-push"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SM = "urn:xmpp:sm:3"
#: A body begins with the nanosecond of its POST, in so many digits.
STAMP = 20


class LightPhone(asyncio.Protocol):
    """One account with one resource; it can sleep (XEP-0198) and be away."""

    def __init__(self, port: int, user: str, component: str, delays: array[float]) -> None:
        self._login = (port, "localhost", user, "secret")
        self._component = component
        self._delays = delays
        self._rest = b""
        self._counted = 0
        self._session = ""
        self._transport: asyncio.WriteTransport | None = None

    async def come(self) -> None:
        """Bind a new session, without presence: nobody knows yet."""
        reader, writer = await log_in(*self._login)
        wish = f"<bind xmlns='{BIND}'><resource>phone</resource></bind>"
        await say(reader, writer, f"<iq type='set' id='b'>{wish}</iq>", b"</iq>")
        text = await say(reader, writer, f"<enable xmlns='{SM}' resume='true'/>", b"<enabled", b">")
        self._session, self._counted = _attribute(text, b"id"), 0
        self._listen(writer)

    async def resume(self) -> None:
        """Wake up: go on with the session."""
        reader, writer = await log_in(*self._login)
        resume = f"<resume xmlns='{SM}' h='{self._counted}' previd='{self._session}'/>"
        await say(reader, writer, resume, b"<resumed", b">")
        self._listen(writer)
        rest = bytes(reader._buffer)  # type: ignore[attr-defined]  # what came with the answer
        self.data_received(rest)
        self._write(f"<a xmlns='{SM}' h='{self._counted}'/>")

    def greet(self) -> None:
        """Send directed presence: the component may begin."""
        self._write(f"<presence to='{self._component}'/>")

    async def register(self) -> str:
        """Return a new endpoint. Before anything is pushed."""
        names = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in "ab"]
        self._registered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._write(
            f"<iq type='set' id='r' to='{self._component}'><register xmlns='{PUSH}'"
            f" application='{names[0]}' instance='{names[1]}'/></iq>"
        )
        return await asyncio.wait_for(self._registered, 60)

    def leave(self, *, sleep: bool) -> None:
        """Fall asleep (the network is lost), or log out."""
        assert self._transport
        if not sleep:
            self._write("<presence type='unavailable'/></stream:stream>")
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Answer every whole push, keep what is not whole yet."""
        now = time.monotonic_ns()
        data = self._rest + data
        done, answers = 0, []
        while (end := data.find(b"</iq>", done)) >= 0:
            iq = data[data.rindex(b"<iq", done, end) : end]
            self._counted += 1
            if b"endpoint=" in iq:
                self._registered.set_result(_attribute(iq, b"endpoint"))
            else:
                answers.append(f"<iq type='result' id='{_attribute(iq, b'id')}'")
                answers.append(f" to='{self._component}'/>")
                stamp = iq[: -len(b"</push>")].rpartition(b">")[2][: STAMP * 2]
                self._delays.append((now - int(base64.b64decode(stamp)[:STAMP])) / 1e9)
            done = end + len(b"</iq>")
        self._rest = data[done:]
        if b"<r " in data or b"<r/>" in data:
            answers.append(f"<a xmlns='{SM}' h='{self._counted}'/>")
        if answers:
            self._write("".join(answers))

    def _write(self, text: str) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(text.encode())

    def _listen(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer  # kept: a forgotten writer closes its connection
        self._transport, self._rest = writer.transport, b""
        writer.transport.set_protocol(self)


def _attribute(text: bytes, name: bytes) -> str:
    start = text.index(b" " + name + b"=") + len(name) + 3
    quote = text[start - 1 : start]
    return text[start : text.index(quote, start)].decode()


class Home:
    """All phones, and what they are asked to do."""

    def __init__(self) -> None:
        self._phones: list[LightPhone] = []
        self._delays: array[float] = array("d")

    async def do(self, asked: dict[str, Any]) -> object:
        """Do what one line asks for and return its answer."""
        chosen = self._phones[asked.get("first", 0) : asked.get("last")]
        match asked["do"]:
            case "move in":
                for user in asked["users"]:
                    phone = LightPhone(asked["port"], user, asked["component"], self._delays)
                    self._phones.append(phone)
            case "register":
                return [await phone.register() for phone in chosen]
            case "come" | "resume" as how:
                for phone in chosen:
                    await getattr(phone, how)()
            case "greet":
                for phone in chosen:
                    phone.greet()
            case "leave":
                for phone in chosen:
                    phone.leave(sleep=asked["sleep"])
            case "count":
                return len(self._delays)
            case "collect":
                delays, self._delays[:] = list(self._delays), array("d")
                return delays
            case other:
                raise ValueError(other)
        return True


async def main() -> None:
    """Answer lines until there are no more."""
    home = Home()
    gc.disable()
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await home.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
