"""The component's stream (XEP-0114): connect, reconnect, read, write, stop.

slixmpp does the stream, disco, ping and version. What belongs to pushing is read and written as
plain XML, because slixmpp's stanza objects and per-stanza futures cost more than the push itself.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from django.conf import settings
from slixmpp.componentxmpp import ComponentXMPP

from pushprovider import __version__
from pushprovider.store.attempts import Claimed
from pushprovider.xmpp import commands, stanzas
from pushprovider.xmpp.prompt import PromptParser
from pushprovider.xmpp.survey import Survey

log = logging.getLogger(__name__)

#: Bytes in the socket's buffer above which nothing more is claimed.
CONGESTED = 256 * 1024

#: Bytes without the end of a stanza after which the stream is given up: what is not yet complete is
#: kept in memory. A server that lets a stanza have 512 KiB may write six bytes for a character.
LONGEST_STANZA = 4 * 1024 * 1024

#: Characters of an id: an answer repeats it, and one that is too long may end the stream.
LONGEST_ID = 4096

#: Characters of one thing that is written: some servers end the stream above 512 KiB.
LONGEST_WRITTEN = 256 * 1024

#: What an operator should look at when the server closes the stream (RFC 6120 section 4.9.3).
HINTS = {
    "not-authorized": "the server does not accept XMPP_COMPONENT_SECRET",
    "host-unknown": "the server has no component XMPP_COMPONENT_JID",
    "conflict": "another connection serves this component; it is tried again",
}

#: The same, as one word for the doctor and the Health page; any other is "stream-error".
FAILURES = {
    "not-authorized": "wrong-secret",
    "host-unknown": "unknown",
    "conflict": "conflict",
    "invalid-namespace": "wrong-port",
}


class Component(ComponentXMPP):
    """One connection at a time to the XMPP server. Hands stanzas about pushing to `heard`."""

    def __init__(
        self,
        heard: Callable[[stanzas.Stanza | commands.Request], None],
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        # fix_error_ns: without it every error reads as feature-not-implemented, and a phone that
        # is offline once would lose its endpoint.
        super().__init__(  # type: ignore[no-untyped-call]
            settings.XMPP_COMPONENT_JID, settings.XMPP_COMPONENT_SECRET, fix_error_ns=True
        )
        self._heard = heard
        self._may_write = may_write
        self._own = settings.XMPP_COMPONENT_JID
        self._is_open = False
        self._pings = 0
        self._unwritten: list[str] = []
        self._incomplete = 0  # bytes read since the last stanza
        self._prolog = b""  # what came before the stream's header
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.started = asyncio.Event()
        self._why = ""
        self.condition = ""  # of the stream error that ended the connection
        self.failure = ""  # why there is no stream, in one word
        self.survey = Survey(self._own)
        self._describe()
        self.add_event_handler("session_start", self._on_start)
        self.add_event_handler("connection_failed", self._on_failed)
        self.add_event_handler("stream_error", self._on_stream_error)
        self.add_event_handler("disconnected", self._on_disconnected)

    def _describe(self) -> None:
        """XEP-0030, XEP-0050 (commands.py answers it), XEP-0092, XEP-0157, XEP-0199."""
        for plugin in ("xep_0030", "xep_0128", "xep_0004", "xep_0199"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0092", {"software_name": "Pushprovider", "version": __version__})
        disco = self.plugin["xep_0030"]
        disco.add_identity(category="pubsub", itype="push", name="Pushprovider")
        disco.add_feature(stanzas.PUSH)
        disco.add_feature(commands.NAMESPACE)
        if settings.XMPP_ADMINS:
            self.plugin["xep_0128"].add_extended_info(data=self._contacts())

    def _contacts(self) -> Any:
        form = self.plugin["xep_0004"].make_form("result")
        form.add_field(
            var="FORM_TYPE", ftype="hidden", value="http://jabber.org/network/serverinfo"
        )
        addresses = [f"xmpp:{jid.partition('/')[0]}" for jid in settings.XMPP_ADMINS]
        form.add_field(var="admin-addresses", ftype="list-multi", value=addresses)
        return form

    @property
    def is_up(self) -> bool:
        """True while the stream is open and it is ours to write to."""
        return self._is_open and self._may_write()

    def give_up(self) -> None:
        """Write nothing more to this stream; what it brings is still read."""
        self._is_open = False

    # --- one connection -------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to connect; `started` or `ended` follows."""
        self.started.clear()
        self._incomplete = 0
        self._prolog = b""
        self._why = self.condition = self.failure = ""
        self.ended = asyncio.get_running_loop().create_future()
        self.connect(settings.XMPP_COMPONENT_HOST, settings.XMPP_COMPONENT_PORT)

    def _on_start(self, _event: Any) -> None:
        self._is_open = True
        self.started.set()

    def _on_failed(self, reason: Any) -> None:
        # slixmpp would go on trying by itself, at growing intervals of up to five minutes.
        self.cancel_connection_attempt()
        # slixmpp has words of its own for a name that does not resolve, and forgets the name.
        if isinstance(reason, str | socket.gaierror):
            self.failure = "unresolved"
            self._end(f"cannot connect: no address is known for {settings.XMPP_COMPONENT_HOST}")
        else:
            self.failure = "refused"
            self._end(f"cannot connect: {reason}")

    def _on_stream_error(self, error: Any) -> None:
        self.condition = error["condition"]
        self.failure = FAILURES.get(self.condition, "stream-error")
        hint = HINTS.get(self.condition, error["text"])
        self._break_off(f"stream error {self.condition}: {hint[:200]}".rstrip(": "))

    def _on_disconnected(self, reason: Any) -> None:
        self.failure = self.failure or "lost"
        self._end(self._why or f"connection lost: {reason or 'closed by the server'}")

    def _end(self, why: str) -> None:
        self._is_open = False
        if not self.ended.done():
            self.ended.set_result(why)

    async def close(self) -> None:
        """End the stream properly, within two seconds."""
        self._flush()
        self._is_open = False
        self.cancel_connection_attempt()
        if self.transport is not None:
            await self.disconnect(wait=2.0)

    # --- reading and writing --------------------------------------------------------------------

    def init_parser(self) -> None:
        """Begin a stream. slixmpp's own parser may keep an answer until the next one comes."""
        super().init_parser()
        self.parser = PromptParser()

    def data_received(self, data: bytes | str) -> None:
        """asyncio's door for what the server sends. What no server sends ends the connection."""
        self._incomplete += len(data)
        if self.xml_root is None:
            # RFC 6120 section 11.1: no document type. One can make megabytes of a few bytes.
            self._prolog += data.encode() if isinstance(data, str) else data
            start = self._prolog.partition(b"stream")[0]
            if b"<!" in start or b"\0" in start:
                self._break_off("what the server sends is no XMPP stream")
                return
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001  # of the parser: an encoding that it lacks
            self._break_off(f"cannot read what the server sends: {type(error).__name__}")
        if self._incomplete > LONGEST_STANZA:
            self._break_off("the server sends a stanza without an end")

    def _break_off(self, why: str) -> None:
        self._why = self._why or why
        self._is_open = False
        self.abort()

    def _spawn_event(self, xml: Element) -> None:
        """slixmpp's door for each stanza: ours are taken here, a few questions are slixmpp's.

        Anything else is nobody's. slixmpp would remember every JID that sends a presence, and it
        is silent to some questions that it cannot make sense of.
        """
        self._incomplete = 0
        if len(xml.get("id", "")) > LONGEST_ID:
            return
        xml = self.incoming_filter(xml)  # type: ignore[no-untyped-call]
        if self.survey.takes(xml):
            return
        stanza = stanzas.read(xml, self._own) or commands.read(xml, self._own)
        if stanza is not None:
            self._tell(stanza)
        elif stanzas.is_for_slixmpp(xml, self._own):
            super()._spawn_event(xml)
        elif (text := stanzas.refusal(xml)) is not None:
            self.write(text)

    def _tell(self, stanza: stanzas.Stanza | commands.Request) -> None:
        """Hand it on. A mistake of ours must not end the stream as if it were the server's."""
        try:
            self._heard(stanza)
        except Exception:
            log.exception("a stanza could not be handled")  # code and lines, no values

    @property
    def is_congested(self) -> bool:
        return self.transport is not None and self.transport.get_write_buffer_size() > CONGESTED

    def write(self, text: str) -> None:
        """Write stanzas as they are; nothing is written without a session.

        What is written in one turn of the event loop goes out together: that is one system call,
        and the server reads it with one, too.
        """
        if len(text) > LONGEST_WRITTEN:
            log.error("an answer of %d characters is not written", len(text))
        elif self.is_up:
            if not self._unwritten:
                self.loop.call_soon(self._flush)
            self._unwritten.append(text)

    def _flush(self) -> None:
        octets = "".join(self._unwritten).encode("utf-8")
        self._unwritten.clear()
        if self.is_up and self.transport is not None and octets:
            self.transport.write(octets)

    def ping(self) -> str:
        """Ping ourselves: the server routes it back once it has read all that was written.

        Return the id.
        """
        self._pings += 1
        id_ = f"ping-{self._pings}"
        self.write(stanzas.own_ping(id_, self._own))
        return id_

    def send_push(self, message: Claimed) -> bool:
        """Write one push; False if XML cannot carry its address: it would end the stream."""
        device = message.device
        if not stanzas.is_writable(device):
            return False
        self.write(
            stanzas.push(
                message.uid,
                self._own,
                device,
                message.application,
                message.instance,
                message.payload,
            )
        )
        return True
