"""A simulated phone: logs in, asks for an endpoint, acknowledges every push it gets."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from dataclasses import dataclass

from slixmpp import ClientXMPP, Iq
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET, StanzaBase
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from pushprovider.demo.children import DemoFailed

NAMESPACE = "http://gultsch.de/xmpp/drafts/unified-push"


@dataclass(frozen=True)
class Push:
    """What the phone saw: the payload, and time.perf_counter() when it came."""

    payload: bytes
    at: float


class Phone(ClientXMPP):
    """One device of one account, with one application on it.

    It must not share a process with the component: that one patches slixmpp's stanza classes.
    """

    def __init__(self, jid: str, password: str) -> None:
        super().__init__(jid, password)
        # The demo's Prosody listens on loopback, without TLS.
        self.enable_direct_tls = False
        self.enable_starttls = False
        self.enable_plaintext = True
        self["feature_mechanisms"].unencrypted_scram = True
        self.pushes: asyncio.Queue[Push] = asyncio.Queue()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", self._on_session)
        self.add_event_handler("failed_all_auth", self._on_refused)
        push = MatchXPath(f"{{jabber:client}}iq/{{{NAMESPACE}}}push")
        self.register_handler(Callback("push", push, self._on_push))

    async def log_in(self, host: str, port: int, seconds: float = 20.0) -> None:
        """Connect, and return when the session is there."""
        self.connect(host, port)
        try:
            await asyncio.wait_for(self._ready, seconds)
        except TimeoutError:
            raise DemoFailed(f"The phone could not log in within {seconds:.0f} s.") from None

    async def register(self, component: str, seconds: int = 20) -> str:
        """Ask the component for an endpoint, as Conversations does, and return its URL."""
        self.send_presence(pto=component)
        iq = self.make_iq_set(ito=component)
        attributes = {
            "application": base64.b64encode(secrets.token_bytes(32)).decode(),
            "instance": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        iq.append(ET.Element(f"{{{NAMESPACE}}}register", attributes))
        try:
            answer = await iq.send(timeout=seconds)
        except IqError as error:
            raise DemoFailed(f"The registration was refused: {error.condition}.") from None
        except IqTimeout:
            raise DemoFailed(f"The registration was not answered in {seconds} s.") from None
        registered = answer.xml.find(f"{{{NAMESPACE}}}registered")
        if registered is None or not registered.get("endpoint"):
            raise DemoFailed("The registration was answered without an endpoint.")
        return str(registered.get("endpoint"))

    async def next_push(self, seconds: float = 20.0) -> Push:
        """Return the next push, or raise DemoFailed when none comes in time."""
        try:
            return await asyncio.wait_for(self.pushes.get(), seconds)
        except TimeoutError:
            raise DemoFailed(f"The push did not reach the phone in {seconds:.0f} s.") from None

    def _on_session(self, _event: object) -> None:
        self.send_presence()
        if not self._ready.done():
            self._ready.set_result(None)

    def _on_refused(self, _event: object) -> None:
        if not self._ready.done():
            self._ready.set_exception(DemoFailed("Prosody refused the phone's password."))

    def _on_push(self, iq: StanzaBase) -> None:
        now = time.perf_counter()
        if not isinstance(iq, Iq):
            return
        push = iq.xml.find(f"{{{NAMESPACE}}}push")
        text = (push.text or "") if push is not None else ""
        iq.reply().send()
        self.pushes.put_nowait(Push(base64.b64decode(text), now))
