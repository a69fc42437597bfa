"""The parser of what a stream brings, for phones and for servers that tests play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import XMLPullParser

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    PullParser = XMLPullParser[Element]
else:
    PullParser = XMLPullParser


class TagParser(PullParser):
    """Gives Expat whole tags only: half of one may keep it waiting for what comes next."""

    def __init__(self) -> None:
        super().__init__(("start", "end"))
        self._half = b""

    def feed(self, data: Any) -> None:
        """Take bytes that were read."""
        whole, end, self._half = (self._half + data).rpartition(b">")
        super().feed(whole + end)
