"""A phone: a client that asks for endpoints and receives pushes.

It is made of asyncio and an XML parser and shares no code with the product, so that the two cannot
agree with each other only.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import Callable
from typing import TypeVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from tests.real.client import SECONDS, XmppClient
from tests.real.stanza import (
    CLIENT,
    PING,
    PUSH,
    Push,
    Registered,
    StanzaError,
    error_xml,
    local_name,
    to_text,
)
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

T = TypeVar("T")

#: How a push is answered: "result", "silent", "item-not-found" or another "error:<condition>";
#: or a function that returns one of these for a push.
Answer = str | Callable[[Push], str]


class Phone(XmppClient):
    """A client with the UnifiedPush draft. `received` and `messages` hold all that ever came.

    `greets` is whom it sends directed presence to after every bind: the component ("") unless
    told otherwise, None for nobody. `answer_after` is how many seconds it thinks.
    """

    def __init__(
        self,
        server: XmppServer,
        user: str = "juliet",
        password: str = "secret",
        *,
        resource: str = "Conversations.a1b2",
        resumable: bool = False,
        greets: str | None = "",
        answer: Answer = "result",
        answer_after: float = 0,
    ) -> None:
        super().__init__(server, user, password, resource, resumable=resumable)
        self.component = server.component_jid
        self.greets = self.component if greets == "" else greets
        self.answer = answer
        self.answer_after = answer_after
        self.received: list[Push] = []
        self.messages: list[tuple[str, str]] = []
        self._thinking: set[asyncio.Task[None]] = set()
        self._pushes_read = 0
        self._messages_read = 0

    # --- sending ----------------------------------------------------------------------------

    async def register(
        self,
        application: str | None = None,
        instance: str | None = None,
        vapid: str | None = None,
        to: str | None = None,
    ) -> Registered:
        """Ask for an endpoint; without arguments for a new one (random 32 bytes each)."""
        attributes = {
            "application": random_name() if application is None else application,
            "instance": random_name() if instance is None else instance,
        }
        if vapid is not None:
            attributes["vapid"] = vapid
        written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
        answer = await self.iq(
            f"<iq type='set' id='{self.new_id()}' to={quoteattr(to or self.component)}>"
            f"<register xmlns='{PUSH}' {written}/></iq>"
        )
        registered = answer.find(f"{{{PUSH}}}registered")
        assert registered is not None, to_text(answer)
        return Registered(registered.get("endpoint", ""), registered.get("expiration", ""))

    def send_presence(self, to: str | None = None, kind: str | None = None) -> None:
        """Send presence, to everybody or to one; `kind` is its type, such as unavailable."""
        attributes = f" to={quoteattr(to)}" if to else ""
        attributes += f" type={quoteattr(kind)}" if kind else ""
        self.send_raw(f"<presence{attributes}/>")

    def send_message(self, to: str, body: str) -> None:
        """Send a chat message."""
        chat = f"<message type='chat' id='{self.new_id()}' to={quoteattr(to)}>"
        self.send_raw(f"{chat}<body>{escape(body)}</body></message>")

    def answer_push(self, push: Push, answer: str = "result") -> None:
        """Answer a push by hand, now or much later."""
        self._answer_iq(push.id, push.sender, answer)

    async def is_seen(self) -> None:
        """Return when the server has handled what was sent before, the first presence too.

        ejabberd may keep a message that comes together with that until the presence after it.
        """
        ping = f"<iq type='get' id='{self.new_id()}' to={quoteattr(self.server.host)}>"
        with contextlib.suppress(StanzaError):  # an error is an answer
            await self.iq(f"{ping}<ping xmlns='{PING}'/></iq>")

    # --- receiving --------------------------------------------------------------------------

    async def next_push(self, seconds: float = SECONDS) -> Push:
        """Return the next push not yet asked for; wait for it if need be."""
        push = await self._next(self.received, self._pushes_read, seconds, "a push arrives")
        self._pushes_read += 1
        return push

    async def next_message(self, seconds: float = SECONDS) -> tuple[str, str]:
        """Return the sender and the body of the next chat message."""
        message = await self._next(self.messages, self._messages_read, seconds, "a message arrives")
        self._messages_read += 1
        return message

    async def logout(self) -> None:
        """Say goodbye; answers still being thought about are never given."""
        for thinking in self._thinking:
            thinking.cancel()
        await super().logout()

    def on_bound(self) -> None:
        """Send presence to everybody, and to the component, as Conversations does."""
        self.send_presence()
        if self.greets:
            self.send_presence(self.greets)

    def on_stanza(self, stanza: Element) -> None:
        """Keep pushes and chat messages, answer every request."""
        if local_name(stanza) == "message":
            body = stanza.findtext(f"{{{CLIENT}}}body")
            if body is not None:
                self.messages.append((stanza.get("from", ""), body))
        elif local_name(stanza) == "iq":
            self._take_request(stanza)

    # --- inside -----------------------------------------------------------------------------

    async def _next(self, items: list[T], read: int, seconds: float, what: str) -> T:
        def come() -> bool:
            return len(items) > read

        await eventually(come, seconds, f"{what} at {self.jid}", self.server.log_text)
        return items[read]

    def _take_request(self, iq: Element) -> None:
        pushed = iq.find(f"{{{PUSH}}}push")
        sender = iq.get("from", self.server.host)
        if pushed is None:
            known = iq.find(f"{{{PING}}}ping") is not None
            self._answer_iq(iq.get("id", ""), sender, "result" if known else "service-unavailable")
            return
        push = Push(
            id=iq.get("id", ""),
            sender=sender,
            application=pushed.get("application", ""),
            instance=pushed.get("instance", ""),
            payload=base64.b64decode(pushed.text or "", validate=True),
            raw=to_text(iq),
        )
        self.received.append(push)
        answer = self.answer(push) if callable(self.answer) else self.answer
        if self.answer_after:
            thinking = asyncio.create_task(self._answer_later(push, answer))
            self._thinking.add(thinking)
            thinking.add_done_callback(self._thinking.discard)
        else:
            self.answer_push(push, answer)

    async def _answer_later(self, push: Push, answer: str) -> None:
        await asyncio.sleep(self.answer_after)
        self.answer_push(push, answer)

    def _answer_iq(self, iq_id: str, to: str, answer: str) -> None:
        if answer == "silent":
            return
        condition = "" if answer == "result" else answer.removeprefix("error:")
        kind, content = ("error", error_xml(condition)) if condition else ("result", "")
        address = f"id={quoteattr(iq_id)} to={quoteattr(to)}"
        self.send_raw(f"<iq type='{kind}' {address}>{content}</iq>")


def random_name() -> str:
    """Return what a phone calls an application or an instance: base64 of 32 bytes."""
    return base64.b64encode(os.urandom(32)).decode()


__all__ = ["Phone", "Push", "Registered", "StanzaError", "random_name"]
