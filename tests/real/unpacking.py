"""A proxy that unpacks gzip on its way in and breaks nothing else: nginx cannot do that."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.real.ports import LOOPBACK


class Handler(BaseHTTPRequestHandler):
    """Passes one request on."""

    upstream = ""

    def pass_on(self) -> None:
        """Send the request to the upstream and its answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with contextlib.suppress(gzip.BadGzipFile):
            body = gzip.decompress(body)
        headers = dict(self.headers.items()) | {"Content-Length": str(len(body))}
        connection = http.client.HTTPConnection(self.upstream, timeout=10)
        with contextlib.suppress(OSError):
            connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.end_headers()
        if answer.status != 101:
            self.wfile.write(answer.read())
        connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = pass_on  # noqa: N815  # http.server's names

    def log_message(self, *_args: object) -> None:
        """Paths are secrets."""


@contextlib.contextmanager
def unpacking(url: str) -> Iterator[str]:
    """Start it in front of a URL and return its own."""
    handler = type("ToUpstream", (Handler,), {"upstream": urlsplit(url).netloc})
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}"
    finally:
        server.shutdown()
        with contextlib.suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)
        server.server_close()
        thread.join()
