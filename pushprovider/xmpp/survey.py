"""What our own XMPP server says of us: asked over our stream, once it is open.

The answers tell whether stanzas find their way back to us, whether clients can find us by service
discovery (XEP-0030), and which server it is (XEP-0092).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from pushprovider.naming import DOCTOR
from pushprovider.xmpp.stanzas import PUSH

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
VERSION = "jabber:iq:version"
#: How the ids of our questions begin.
ID = "survey-"
#: Seconds for the answers.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was answered in time. `listed` is None if there is no such host at our server."""

    found: bool  # our own disco#info came back, with the namespace in it
    listed: bool | None
    server: str  # such as "Prosody 0.12.3"; empty: it does not say

    def text(self) -> str:
        """Return it as Status keeps it."""
        listed = {True: "listed", False: "unlisted", None: "elsewhere"}[self.listed]
        return f"{'found' if self.found else 'silent'} {listed} {self.server}"[:200]

    @staticmethod
    def read(text: str) -> Report:
        """Return what text() wrote."""
        found, listed, server = (*text.split(" ", 2), "", "")[:3]
        known = {"listed": True, "unlisted": False}
        return Report(found == "found", known.get(listed), server)


class Survey:
    """The questions, and the answers as they come."""

    def __init__(self, own_jid: str) -> None:
        self._own = own_jid
        self._parent = own_jid.partition(".")[2]
        self._answers: dict[str, Element] = {}
        self._complete = asyncio.Event()

    def questions(self) -> str:
        """Return the stanzas to write. What was answered before is forgotten."""
        self._answers.clear()
        self._complete.clear()
        # From the doctor's address, so that the question and the answer both pass the server.
        asker = f"{DOCTOR}survey@{self._own}"
        asked = [("info", asker, self._own, INFO)]
        if self._parent:
            asked += [
                ("items", self._own, self._parent, ITEMS),
                ("version", self._own, self._parent, VERSION),
            ]
        return "".join(
            f"<iq type='get' id='{ID}{name}' from={quoteattr(sender)} to={quoteattr(to)}>"
            f"<query xmlns='{namespace}'/></iq>"
            for name, sender, to, namespace in asked
        )

    def takes(self, xml: Element) -> bool:
        """True if the element answers one of the questions."""
        id_ = xml.get("id", "")
        if not id_.startswith(ID) or xml.get("type") not in ("result", "error"):
            return False
        if xml.get("from") in (self._own, self._parent):
            self._answers[id_.removeprefix(ID)] = xml
            if len(self._answers) >= (3 if self._parent else 1):
                self._complete.set()
        return True

    async def report(self) -> Report:
        """Return what was answered within PATIENCE seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._complete.wait()
        return Report(self._found(), self._listed(), self._server())

    def _result(self, name: str) -> Element | None:
        answer = self._answers.get(name)
        return answer if answer is not None and answer.get("type") == "result" else None

    def _found(self) -> bool:
        info = self._result("info")
        return info is not None and any(
            feature.get("var") == PUSH for feature in info.iter(f"{{{INFO}}}feature")
        )

    def _listed(self) -> bool | None:
        items = self._result("items")
        if items is None:
            return None
        return any(item.get("jid") == self._own for item in items.iter(f"{{{ITEMS}}}item"))

    def _server(self) -> str:
        version = self._result("version")
        if version is None:
            return ""
        words = [version.findtext(f".//{{{VERSION}}}{name}") for name in ("name", "version")]
        return " ".join(word.strip()[:60] for word in words if word)
