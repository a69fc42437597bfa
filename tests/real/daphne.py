"""A real daphne over the tests' store, raw bytes to it, and its answers as they came."""

from __future__ import annotations

import http.client
import io
import json
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.real.ports import LOOPBACK, answers, free_port
from tests.real.process import ManagedProcess, plain_environment
from tests.settings import ENVIRONMENT, ROOT

#: What daphne serves.
APPLICATION = "upconfig.asgi:application"


@dataclass
class Got:
    """One answer, as it came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def errno(self) -> int:
        return int(json.loads(self.body)["errno"])


class Daphne:
    """The process, and what can be sent to it.

    `application` may be another module's that changes something first; `wrap` comes before the
    command line: `prlimit`, for instance; `options` are daphne's own.
    """

    def __init__(
        self,
        folder: Path,
        application: str = APPLICATION,
        wrap: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        /,
        **environ: str,
    ) -> None:
        Path(ENVIRONMENT["RUN_DIR"]).mkdir(exist_ok=True)
        self.port = free_port()
        environment = plain_environment() | ENVIRONMENT | {"PYTHONUNBUFFERED": "1"} | environ
        environment["RUN_DIR"] = tempfile.mkdtemp(prefix="pp-", dir=ENVIRONMENT["RUN_DIR"] + "/..")
        command = [*wrap, sys.executable, "-m", "daphne", "-b", LOOPBACK, "-p", str(self.port)]
        self.process = ManagedProcess(
            "daphne", [*command, *options, application], environment, ROOT, folder / "log"
        )
        self.process.start(lambda: answers(self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout=20)

    def send(self, raw: bytes, method: str = "POST") -> list[Got]:
        """Send bytes and return every answer until daphne hangs up, which it must."""
        with self.connect() as wire:
            wire.sendall(raw)
            return parsed(everything(wire), method)

    def one(self, raw: bytes, method: str = "POST") -> Got:
        """Send bytes to which there must be exactly one answer."""
        [got] = self.send(raw, method)
        return got


class Wire(io.BytesIO):
    """Bytes that http.client takes for a socket."""

    def makefile(self, _mode: str) -> Wire:
        return self

    def close(self) -> None:
        """It is closed after each answer; the next one is still to be read."""


def everything(wire: socket.socket) -> bytes:
    chunks = []
    while chunk := wire.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def parsed(raw: bytes, method: str = "POST") -> list[Got]:
    """Return the answers, read by Python's own HTTP client."""
    wire, found = Wire(raw), []
    while wire.tell() < len(raw):
        response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]
        response.begin()
        body = b"" if method == "HEAD" else response.read()
        found.append(Got(response.status, response.headers, body))
    return found


def request(
    target: str, *headers: str, body: bytes = b"", method: str = "POST", close: bool = True
) -> bytes:
    """Return a request as bytes; Content-Length is there unless the headers say how it ends."""
    lines = [f"{method} {target} HTTP/1.1", "Host: push.example.org", *headers]
    if not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
