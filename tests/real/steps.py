"""Steps that many plays share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import httpx

from pushprovider.models import MessageState
from tests.real.client import SECONDS
from tests.real.phone import Phone
from tests.real.provider import Provider
from tests.real.waiting import eventually

#: Makes a phone of the play's account, not yet connected; a first argument is added to the name
#: of the account: new_phone("-witness", resumable=True).
NewPhone = Callable[..., Phone]


async def post_all(
    provider: Provider,
    endpoint: str,
    payloads: Iterable[bytes],
    headers: Mapping[str, str] | None = None,
) -> list[str]:
    """POST one after the other on one connection; return the URL of each message."""
    given = {"TTL": "3600"} | dict(headers or {})
    urls = []
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        for payload in payloads:
            answer = await client.post(endpoint, content=payload, headers=given)
            assert answer.status_code == 201, answer.text
            urls.append(answer.headers["Location"])
    return urls


async def post_one(provider: Provider, endpoint: str, payload: bytes, **headers: str) -> str:
    """POST one message and return its URL: post_one(provider, endpoint, b"...", TTL="0")."""
    return (await post_all(provider, endpoint, [payload], headers))[0]


async def arrivals(phone: Phone, number: int, seconds: float = SECONDS) -> list[bytes]:
    """Return the payloads of the next so many pushes."""
    return [(await phone.next_push(seconds)).payload for _ in range(number)]


async def nothing_but_a_marker(provider: Provider, phone: Phone, endpoint: str) -> None:
    """Post a marker: it must be the next thing that the phone sees."""
    await round_trip(phone)  # its presence has been read
    await post_one(provider, endpoint, b"the marker")
    arrived = (await arrivals(phone, 1))[0]
    assert arrived == b"the marker", f"{arrived[:40]!r} arrived before the marker"


async def round_trip(phone: Phone) -> None:
    """Return when the component has read everything that the phone sent before.

    Everything that the component sent to the phone before has arrived then, too.
    """
    ping = "<ping xmlns='urn:xmpp:ping'/>"
    await phone.iq(f"<iq type='get' id='{phone.new_id()}' to='{phone.component}'>{ping}</iq>")


def received_twice(phone: Phone) -> list[str]:
    """Return the ids of messages that the phone got more than once."""
    ids = [push.id for push in phone.received]
    return sorted({one for one in ids if ids.count(one) > 1})


def state_of(provider: Provider, url: str) -> str:
    """Return what the store says of a message: queued, sent, delivered, expired, ..."""
    query = "SELECT state FROM pushprovider_message WHERE uid = %s"
    rows = provider.store.rows(query, url.rpartition("/")[2])
    return str(MessageState(rows[0][0]).label) if rows else "unknown"


async def becomes(provider: Provider, url: str, state: str, seconds: float = SECONDS) -> None:
    """Wait until the store says this of a message."""

    def is_so() -> bool:
        return state_of(provider, url) == state

    await eventually(is_so, seconds, f"the message is {state}", provider.log_text)
