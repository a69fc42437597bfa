"""An XML parser that hands out a stanza as soon as its last byte has come.

Expat does not, since 2.6 (and 2.5 in Debian 12): where one read ends within a tag, it looks at that
again only when twice as much has come, against quadratic work for endless tags. An answer that came
in two pieces would so be read with whatever comes next, which may be much later. Python lets a
program end the waiting since 3.11.8 only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import XMLPullParser

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    PullParser = XMLPullParser[Element]
else:
    PullParser = XMLPullParser


class PromptParser(PullParser):
    """For an XMPP stream (RFC 6120 section 4): start and end events, as slixmpp reads them.

    Expat gets whole tags: what follows the last ">" is kept until its own one has come. An XMPP
    server writes "&gt;" everywhere else; where one does not, flush() helps if there is one.
    """

    def __init__(self) -> None:
        super().__init__(("start", "end"))
        self._rest = bytearray()
        self._has_begun = False
        self._flush: Any = getattr(super(), "flush", lambda: None)

    def feed(self, data: Any) -> None:
        """Take what was read, bytes or text. What cannot begin XML goes on as it is."""
        known = len(self._rest)
        self._rest += data.encode() if isinstance(data, str) else data
        whole = self._rest.rfind(b">", known) + 1
        if not whole:
            if self._has_begun or self._rest.startswith(b"<"):
                return
            whole = len(self._rest)
        self._has_begun = True
        super().feed(bytes(self._rest[:whole]))
        self._flush()
        del self._rest[:whole]
