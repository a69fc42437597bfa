"""Requests as an application server sends them. No redirect is followed, nothing is retried."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from pushprovider import __version__

#: Seconds for an answer.
PATIENCE = 10.0


class NoAnswer(Exception):
    """There is none; `code` is the finding, the text what happened."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Message
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [str(value) for value in self.headers.get_all(name, [])]

    def header(self, name: str) -> str:
        """Return a header's only value; "" if it is not there, or there twice."""
        values = self.all(name)
        return values[0] if len(values) == 1 else ""


class Way:
    """A way in: PUBLIC_URL, or another URL that leads to the same web process."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self.url = url
        self.is_https = parts.scheme == "https"
        self.host = parts.hostname or ""
        self._port = parts.port
        self._path = parts.path.rstrip("/")
        self._context = context

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request and return its answer. Raises NoAnswer."""
        connection = self._connection()
        given = {"User-Agent": f"Pushprovider-doctor/{__version__}", **(headers or {})}
        try:
            # Who refuses a large body may answer before it has read it all, and then close.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self._path + path, body, given)
            response: Any = connection.getresponse()
            body = b"" if response.status == 101 else response.read(1_000_000)
            return Answer(response.status, response.headers, body or b"")
        except (OSError, http.client.HTTPException) as error:
            raise no_answer(error) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.is_https:
            return http.client.HTTPSConnection(
                self.host, self._port, timeout=PATIENCE, context=self._context
            )
        return http.client.HTTPConnection(self.host, self._port, timeout=PATIENCE)


def no_answer(error: Exception) -> NoAnswer:
    """Return what a failure to connect or to answer means."""
    if isinstance(error, socket.gaierror):
        return NoAnswer("web.unresolved", "its host has no address")
    if isinstance(error, TimeoutError):
        return NoAnswer("web.timeout", f"no answer within {PATIENCE:.0f} seconds")
    return NoAnswer("web.refused", str(error)[:120] or type(error).__name__)
