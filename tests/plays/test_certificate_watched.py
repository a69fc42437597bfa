"""The running component looks at PUBLIC_URL's certificate by itself and tells what it saw."""

from __future__ import annotations

from pathlib import Path

from tests.real.certificates import Authority
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.store import Store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer
from tests.test_certificate import HOST, serving


def told(provider: Provider) -> str:
    """Return what the component wrote down."""
    rows = provider.store.rows("SELECT value FROM pushprovider_status WHERE name = 'certificate'")
    return str(rows[0][0]) if rows else ""


async def watched(
    provider: Provider, authority: Authority, files: tuple[Path, Path], expected: str
) -> None:
    """Have the component look at a certificate, and wait for what it says."""
    async with serving(files) as url:
        provider.component.env |= {"PUBLIC_URL": url, "SSL_CERT_FILE": str(authority.file)}
        provider.component.spawn()
        await eventually(
            lambda: told(provider).startswith(expected), 20, expected, provider.log_text
        )


@play
async def test_it_tells_a_good_one_and_a_bad_one(
    server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    provider = Provider(tmp_path, server, migrated=migrated)
    provider.migrate()
    authority = Authority(tmp_path)
    try:
        await watched(provider, authority, authority.certificate("good", HOST), "valid")
        provider.kill_component()
        old = authority.certificate("old", HOST, days=-1)
        await watched(provider, authority, old, "expired")
        assert "certificate of PUBLIC_URL: expired" in provider.component.log_text()
    finally:
        provider.close()
