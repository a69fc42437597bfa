"""Endpoint tokens are capabilities: whoever reads one can push. They stay out of every log."""

from __future__ import annotations

import logging
import re
from typing import Any

_TOKEN = re.compile(r"((?:/up)?/(?:push|message)/)[^\s\"'?]+")


def redact(text: str) -> str:
    """Return the text with everything after /push/ and /message/ replaced."""
    return _TOKEN.sub(r"\1…", text)


class RedactTokens(logging.Filter):
    """Redacts a record's message and its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.msg) if isinstance(record.msg, str) else record.msg
        if isinstance(record.args, tuple):
            record.args = tuple(redact(a) if isinstance(a, str) else a for a in record.args)
        return True


def redact_daphne() -> None:
    """Redact daphne's access log, which it writes to standard output unless told `-v 0`."""
    from daphne.access import AccessLogGenerator

    plain = AccessLogGenerator.write_entry

    def write_entry(
        self: Any, host: str, date: Any, request: str, *args: Any, **kwargs: Any
    ) -> None:
        plain(self, host, date, redact(request), *args, **kwargs)

    AccessLogGenerator.write_entry = write_entry
