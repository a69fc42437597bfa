"""Endpoint tokens are capabilities: whoever reads one can push. They stay out of every log."""

from __future__ import annotations

import logging
import re
from typing import Any

_PATH = re.compile(r"((?:/up)?/(?:push|message)/)[^\s?]+")
#: Whatever else is as long as a token, however it is spelled.
_LONG = re.compile(r"(?:[A-Za-z0-9_-]|%[0-9A-Fa-f]{2}){43,}")


def redact(text: str) -> str:
    """Return the text with everything after /push/ and /message/ replaced."""
    return _LONG.sub("…", _PATH.sub(r"\1…", text))


class RedactTokens(logging.Filter):
    """Redacts a record's message and its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.msg) if isinstance(record.msg, str) else record.msg
        if isinstance(record.args, tuple):
            record.args = tuple(map(_redact_one, record.args))
        elif isinstance(record.args, dict):
            record.args = {name: _redact_one(one) for name, one in record.args.items()}
        return True


def _redact_one(value: object) -> object:
    return redact(value) if isinstance(value, str) else value


def redact_daphne() -> None:
    """Redact daphne's access log, which it writes to standard output unless told `-v 0`."""
    from daphne.access import AccessLogGenerator

    plain = AccessLogGenerator.write_entry

    def write_entry(
        self: Any, host: str, date: Any, request: str, *args: Any, **kwargs: Any
    ) -> None:
        plain(self, host, date, redact(request), *args, **kwargs)

    AccessLogGenerator.write_entry = write_entry
