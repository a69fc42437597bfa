"""The application server's side: one POST to an endpoint."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from pushprovider.demo.children import DemoFailed


@dataclass(frozen=True)
class Posted:
    """How a POST was answered. `began` is time.perf_counter() before it went out."""

    status_line: str
    status: int
    location: str
    ttl: str
    began: float


def post(endpoint: str, payload: bytes, ttl: int) -> Posted:
    """Send one message to an endpoint."""
    url = urlsplit(endpoint)
    headers = {"TTL": str(ttl), "Urgency": "high", "User-Agent": "pushprovider-demo"}
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)
    began = time.perf_counter()
    try:
        connection.request("POST", url.path, payload, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise DemoFailed(f"The POST failed: {type(error).__name__} {error}.") from None
    finally:
        connection.close()
    version = "HTTP/1.1" if answer.version == 11 else "HTTP/1.0"
    return Posted(
        status_line=f"{version} {answer.status} {answer.reason}",
        status=answer.status,
        location=answer.getheader("Location", "(none)"),
        ttl=answer.getheader("TTL", "(none)"),
        began=began,
    )
