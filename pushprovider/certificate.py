"""PUBLIC_URL's certificate, as an application server sees it from here."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

from pushprovider.fields import to_ms

#: Seconds for the connection and the handshake.
PATIENCE = 10.0
DAY = 86_400_000
#: Days left below which it is worth a word, or a shout. Let's Encrypt's are renewed at 30.
SOON, VERY_SOON = 14, 3

#: What OpenSSL says (X509_V_ERR_...) in one word, and how people say it.
_VERDICTS = {
    9: "not-yet-valid",
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    20: "unknown-issuer",
    21: "unknown-issuer",
    62: "wrong-host",
    64: "wrong-host",
}
WORDS = {
    "none": "not applicable",
    "not-yet-valid": "not valid yet: is the clock right?",
    "expired": "expired",
    "self-signed": "signed by itself: application servers refuse it",
    "unknown-issuer": "its issuer is not known here",
    "wrong-host": "made for another host",
    "not-trusted": "not trusted",
    "no-tls": "the server does not speak TLS",
    "unreachable": "PUBLIC_URL cannot be reached from here",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """`code` is "valid" or one of WORDS; `ends` in milliseconds since 1970, 0 if unknown."""

    code: str
    ends: int = 0
    detail: str = ""

    def days_left(self, now: int) -> int:
        """Return whole days until it ends; negative if it has ended."""
        return (self.ends - now) // DAY

    def state(self, now: int) -> str:
        """Return ok, warning or bad."""
        if self.code in ("none", "unreachable"):
            return "ok" if self.code == "none" else "warning"
        if self.code != "valid" or self.days_left(now) < VERY_SOON:
            return "bad"
        return "warning" if self.days_left(now) < SOON else "ok"

    def words(self, now: int) -> str:
        """Return what a person reads."""
        if self.code == "valid" and now < self.ends:
            days = self.days_left(now)
            return f"{days} day{'' if days == 1 else 's'} left"
        words = WORDS.get(self.code, WORDS["expired"])
        return f"{words} ({self.detail})" if self.detail else words

    def text(self) -> str:
        """Return it as Status keeps it."""
        return f"{self.code} {self.ends} {self.detail}"[:200].strip()

    @staticmethod
    def read(text: str) -> Certificate:
        """Return what text() wrote."""
        code, _, rest = text.partition(" ")
        ends, _, detail = rest.partition(" ")
        return Certificate(code, int(ends) if ends.isdigit() else 0, detail)


def applies(url: str) -> bool:
    """False for plain http and for an address of this machine only."""
    parts = urlsplit(url)
    return parts.scheme == "https" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """True for names and addresses that mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def look(url: str, *, even_here: bool = False) -> Certificate:
    """Return what the certificate is worth. `even_here`: also that of a loopback address.

    Never raises for what the other side does, and never waits longer than twice PATIENCE.
    """
    if not applies(url) and not (even_here and url.startswith("https:")):
        return Certificate("none")
    # It reads some hundred authorities from disk: not on an event loop.
    strict = await asyncio.to_thread(ssl.create_default_context)
    try:
        return Certificate("valid", ends_at(await _fetch(url, strict)))
    except ssl.SSLCertVerificationError as error:
        code = _VERDICTS.get(error.verify_code, "not-trusted")
        detail = error.verify_message if code == "not-trusted" else ""
    except ssl.SSLError as error:
        return Certificate("no-tls", detail=(error.reason or "")[:80])
    except (OSError, UnicodeError) as error:  # a time-out is an OSError
        return Certificate("unreachable", detail=type(error).__name__)
    try:
        der = await _fetch(url, lax_context())
        if code == "wrong-host":
            detail = "for " + ", ".join(names(der)[:3])
        return Certificate(code, ends_at(der), detail[:80])
    except (OSError, ValueError):
        return Certificate(code, 0, detail[:80])


def lax_context() -> ssl.SSLContext:
    """Return a context that accepts every certificate: for looking at it, never for trusting it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ends_at(der: bytes) -> int:
    """Return when a certificate ends, in milliseconds since 1970."""
    return to_ms(x509.load_der_x509_certificate(der).not_valid_after_utc.astimezone(dt.UTC))


def names(der: bytes) -> list[str]:
    """Return the host names that a certificate is made for."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ["no host"]
    return [str(one.value) for one in found.value]


async def _fetch(url: str, context: ssl.SSLContext) -> bytes:
    """Return the certificate in DER after a handshake. Raises OSError, TimeoutError."""
    parts = urlsplit(url)
    async with asyncio.timeout(PATIENCE):
        _reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or 443, ssl=context
        )
    try:
        der: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return der or b""
