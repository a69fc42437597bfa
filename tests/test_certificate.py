"""PUBLIC_URL's certificate: looked at over a real handshake, and put into words."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_django import Settings

from pushprovider import certificate
from pushprovider.admin import checks
from pushprovider.certificate import DAY, Certificate
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Status
from pushprovider.store import status
from tests.real.certificates import Authority
from tests.real.ports import LOOPBACK, free_port

#: A host name, as far as URLs go, that leads to this machine: localhost is never looked at.
HOST = "127.1"


@contextlib.asynccontextmanager
async def serving(files: tuple[Path, Path]) -> AsyncIterator[str]:
    """Serve TLS with a certificate and return the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    server = await asyncio.start_server(lambda _r, w: w.close(), LOOPBACK, 0, ssl=context)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with server:
        yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"


def looked_at(files: tuple[Path, Path]) -> Certificate:
    """Return what is found of a certificate."""

    async def look() -> Certificate:
        async with serving(files) as url:
            return await certificate.look(url)

    return asyncio.run(look())


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this process trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def test_it_sees_how_long_a_good_one_lasts(authority: Authority) -> None:
    found = looked_at(authority.certificate("good", HOST, days=63.5))
    assert found.code == "valid"
    assert found.words(now_ms()) == "63 days left"
    assert found.state(now_ms()) == "ok"


def test_it_sees_one_that_has_ended(authority: Authority) -> None:
    found = looked_at(authority.certificate("old", HOST, days=-2))
    assert (found.code, found.words(now_ms())) == ("expired", "expired")
    assert found.days_left(now_ms()) in (-2, -3)


def test_it_sees_one_for_another_host(authority: Authority) -> None:
    found = looked_at(authority.certificate("other", "push.example.net"))
    assert found.words(now_ms()) == "made for another host (for push.example.net)"


def test_it_sees_one_that_signed_itself(authority: Authority) -> None:
    found = looked_at(authority.certificate("own", HOST, by_itself=True))
    assert found.code == "self-signed"


def test_it_sees_an_issuer_that_is_not_known(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "stranger").mkdir()
    found = looked_at(Authority(tmp_path / "stranger", "Nobody").certificate("good", HOST))
    assert found.code == "unknown-issuer"


def test_it_sees_that_nobody_is_there() -> None:
    url = f"https://{HOST}:{free_port()}"
    assert asyncio.run(certificate.look(url)).code == "unreachable"


def test_it_sees_that_it_is_no_tls() -> None:
    async def look() -> Certificate:
        def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await certificate.look(f"https://{HOST}:{port}")

    assert asyncio.run(look()).code == "no-tls"


def test_a_host_that_cannot_be_a_name_is_no_traceback() -> None:
    assert asyncio.run(certificate.look(f"https://{'a' * 64}.example")).code == "unreachable"


@pytest.mark.parametrize("url", ["http://push.example.org", "https://localhost", "https://[::1]"])
def test_it_leaves_other_addresses_alone(url: str) -> None:
    assert asyncio.run(certificate.look(url)).code == "none"


@pytest.mark.parametrize(("days", "state"), [(15, "ok"), (13, "warning"), (2, "bad"), (0, "bad")])
def test_it_warns_in_time(days: int, state: str) -> None:
    assert Certificate("valid", now_ms() + days * DAY + 1000).state(now_ms()) == state


@pytest.mark.parametrize(
    "found", [Certificate("valid", 5), Certificate("wrong-host", 7, "for a.example, b.example")]
)
def test_it_reads_what_it_wrote(found: Certificate) -> None:
    assert Certificate.read(found.text()) == found


def noted(found: Certificate, ago: int = 0) -> None:
    """Write what the component would have written so many milliseconds ago."""
    status.tell(status.CERTIFICATE, found.text(), now_ms() - ago)


@pytest.mark.django_db
def test_the_health_page_shows_the_days() -> None:
    noted(Certificate("valid", now_ms() + 63 * DAY + 1000))
    found = checks.certificate_of_url()
    assert (found.state, found.text) == ("ok", "63 days left")


@pytest.mark.django_db
def test_the_health_page_says_that_it_is_old_news() -> None:
    noted(Certificate("valid", now_ms() + 63 * DAY + 1000), ago=5 * 3_600_000)
    assert checks.certificate_of_url().text == "63 days left, seen 5 hours ago"


@pytest.mark.django_db
def test_the_health_page_says_that_nobody_has_looked() -> None:
    assert "not looked at yet" in checks.certificate_of_url().text


@pytest.mark.django_db
def test_it_does_not_apply_to_a_loopback_address(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert checks.certificate_of_url().text == "not applicable"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "state", "text"),
    [
        (None, "warning", "never"),
        (5 * 3_600_000 + 1000, "ok", "5 hours ago"),
        (8 * DAY + 1000, "warning", "8 days ago"),
    ],
)
def test_the_health_page_shows_the_backup(age: int | None, state: str, text: str) -> None:
    if age is not None:
        row = {"value": "manage.py backup", "at": to_datetime(now_ms() - age)}
        Status.objects.create(name=status.BACKUP, **row)
    found = checks.backup()
    assert (found.state, found.text) == (state, text)
