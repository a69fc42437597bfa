"""PUBLIC_URL from here: its certificate, and whether Pushprovider answers there at all."""

from __future__ import annotations

from urllib.parse import urlsplit

from pushprovider.admin.checks import Check, certificate_check
from pushprovider.certificate import Certificate
from pushprovider.doctor.findings import bad
from pushprovider.doctor.wire import Answer, NoAnswer, Way
from pushprovider.fields import now_ms
from pushprovider.http.push import DISCOVERY

NAME = "Public address"


def certificate(found: Certificate) -> list[Check]:
    """Return what the certificate is worth; an address without an answer is told elsewhere."""
    if found.code in ("none", "unreachable"):
        return []
    now = now_ms()
    return [certificate_check(found, now, now)]


def reach(way: Way) -> tuple[list[Check], str]:
    """Ask /push/ who it is. Return what is wrong, and the answer's Date header."""
    try:
        answer = way.ask("GET", "/push/doctor")
    except NoAnswer as error:
        return [bad(NAME, error.code, f"{way.url}: {error}")], ""
    date = answer.header("date")
    if answer.status == 200 and answer.body.strip() == DISCOVERY:
        return [], date
    return [stray(way, "GET /push/", answer)], date


def stray(way: Way, what: str, answer: Answer) -> Check:
    """Return what an answer means that Pushprovider did not give."""
    status = answer.status
    said = f"{way.url}: {what} is answered {status}"
    if 300 <= status < 400:
        to = urlsplit(answer.header("location"))
        place = f"{to.scheme}://{to.netloc}" if to.netloc else to.path[:20]
        return bad(NAME, "web.redirect", f"{said}, a redirect to {place}")
    if status in (401, 403, 407):
        return bad(NAME, "web.login", said)
    if status in (502, 503, 504):
        return bad(NAME, "web.down", said)
    return bad(NAME, "web.foreign", f"{said}, not by Pushprovider")
