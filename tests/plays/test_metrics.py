"""Prometheus scrapes daphne; what it reads was counted by both processes."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.store import Store
from tests.real.waiting import eventually

TOKEN = "a token of the plays"


async def scrape(provider: Provider) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": "192.0.2.7"}
        answer = await client.get(f"{provider.url}/metrics", headers=headers)
        assert answer.status_code == 200
        return answer.text


async def shows(provider: Provider, line: str, seconds: float = 15) -> None:
    """Wait until a scrape has this line."""

    async def shown() -> bool:
        return line in (await scrape(provider)).splitlines()

    await eventually(shown, seconds, line, provider.log_text)


@play
async def test_deliveries_and_reconnects_are_counted_across_restarts(
    own_server: Prosody, tmp_path: Path, migrated: Store, account: str
) -> None:
    settings = {"metrics_token": TOKEN}
    provider = Provider(tmp_path, own_server, migrated=migrated, settings=settings)
    try:
        provider.start()
        await shows(provider, "pushprovider_xmpp_connected 1.0")
        await shows(provider, "pushprovider_xmpp_reconnects_total 0.0")
        async with Phone(own_server, account) as phone:
            await provider.post((await phone.register()).endpoint, b"hello")
            await phone.next_push()
            await shows(provider, 'pushprovider_messages_total{state="delivered"} 1.0')
            await shows(provider, "pushprovider_delivery_seconds_count 1.0")
        own_server.stop()
        await shows(provider, "pushprovider_xmpp_connected 0.0")
        own_server.start()
        await shows(provider, "pushprovider_xmpp_reconnects_total 1.0", 30)
        provider.stop_component()
        provider.stop_http()
        provider.start_http()
        provider.start_component()
        await shows(provider, "pushprovider_xmpp_connected 1.0")
        await shows(provider, 'pushprovider_messages_total{state="delivered"} 1.0')
        await shows(provider, "pushprovider_xmpp_reconnects_total 1.0")
    finally:
        provider.close()
    provider.assert_clean_logs(TOKEN)
