"""Work-arounds for Twisted, daphne's HTTP parser: what it does for each request in vain."""

from __future__ import annotations

import sys
from typing import Any


def leave_bodies_alone() -> None:
    """Let Twisted hand bodies through unread.

    It parses the Content-Type of every POST with Python's email package, and then the body if it
    is a form, for arguments that neither daphne nor Django looks at. That measured a sixth of
    daphne's time for a push.
    """
    if "daphne.server" not in sys.modules:
        return
    from daphne.http_protocol import WebRequest

    plain = WebRequest.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        self._parsePOSTFormSubmission = False

    WebRequest.__init__ = init


def write_no_log() -> None:
    """Keep Twisted from writing a log line of its own for each request.

    Nobody reads it: daphne writes its access log itself, and discards Twisted's.
    """
    if "daphne.server" not in sys.modules:
        return
    from daphne.http_protocol import HTTPFactory

    HTTPFactory.log = lambda _self, _request: None
