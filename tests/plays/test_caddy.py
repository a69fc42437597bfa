"""deploy/Caddyfile: the doctor finds nothing wrong, and plain http never redirects a push."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.caddy import Caddy
from tests.real.doctor import doctor
from tests.real.provider import Provider

pytest_plugins = ["tests.real.steady"]


@pytest.fixture
def product(steadies: Callable[[str], Provider]) -> Provider:
    return steadies("prosody")


@pytest.fixture
def caddy(product: Provider, tmp_path: Path) -> Iterator[Caddy]:
    started = Caddy(tmp_path, product.port)
    started.start()
    yield started
    started.stop()


def test_the_doctor_finds_nothing_wrong(product: Provider, caddy: Caddy) -> None:
    trusted = {"SSL_CERT_FILE": caddy.authority.file}
    found = doctor(product, "--only", "web", "--url", caddy.url, **trusted)
    assert (found.wrong, found.doubtful) == (set(), set()), found.findings


def test_plain_http_redirects_pages_only(caddy: Caddy) -> None:
    assert httpx.post(f"{caddy.plain}/push/x", trust_env=False).status_code == 404
    assert httpx.get(f"{caddy.plain}/", trust_env=False).status_code == 302
