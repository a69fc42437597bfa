"""Stream management (XEP-0198) as a phone keeps it: what it has seen, what is not yet acked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from xml.etree.ElementTree import Element

from tests.real.stanza import local_name

SM = "urn:xmpp:sm:3"


class StreamManagement:
    """Counts stanzas both ways over all connections of one session. `send` writes text."""

    def __init__(self) -> None:
        self.resume_id = ""
        self.acks = True  #: False: <r/> stays unanswered, as with a phone that hangs
        self.received = 0
        self._sent_and_acked = 0
        self._unacked: deque[str] = deque()

    def sent(self, xml: str) -> None:
        """Note one of our own stanzas."""
        self._unacked.append(xml)

    def request(self) -> str:
        """Return the request for an ack, which follows every stanza."""
        return f"<r xmlns='{SM}'/>"

    def handles(self, element: Element, send: Callable[[str], None]) -> bool:
        """Deal with <r/> and <a/>, count everything else. Return whether that was all."""
        if not element.tag.startswith(f"{{{SM}}}"):
            self.received += 1
            return False
        if local_name(element) == "r" and self.acks:
            send(f"<a xmlns='{SM}' h='{self.received}'/>")
        elif local_name(element) == "a":
            self.acked(int(element.get("h", "0")))
        return True

    def acked(self, total: int) -> None:
        """Forget what the server has confirmed: `total` of our stanzas since the session began."""
        while self._sent_and_acked < total and self._unacked:
            self._unacked.popleft()
            self._sent_and_acked += 1

    def enable(self) -> str:
        """Return the request to start."""
        return f"<enable xmlns='{SM}' resume='true'/>"

    def resume(self) -> str:
        """Return the request to go on with the session on a new connection."""
        return f"<resume xmlns='{SM}' h='{self.received}' previd='{self.resume_id}'/>"

    def after_resume(self, resumed: Element, send: Callable[[str], None]) -> None:
        """Send again what the server did not get, as real clients do."""
        self.acked(int(resumed.get("h", "0")))
        for xml in self._unacked:
            send(xml)
