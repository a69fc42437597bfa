"""A JavaScript application server, with the library everybody uses."""

from __future__ import annotations

from tests.real.application_server import Subscription, VapidKey
from tests.real.node_part import NodePart
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider

SECRET = "Wherefore art thou? ☎"


@play
async def test_the_phone_can_read_what_it_encrypted(provider: Provider, phone: Phone) -> None:
    key = VapidKey()
    async with phone, NodePart("send.js") as sender:
        subscription = Subscription((await phone.register(vapid=key.public)).endpoint)
        await sender.tell(
            {
                "subscription": subscription.info(),
                "text": SECRET,
                "options": {
                    "TTL": 60,
                    "topic": "balcony",
                    "urgency": "high",
                    "vapidDetails": {
                        "subject": "mailto:friar@example.org",
                        "publicKey": key.public,
                        "privateKey": key.private,
                    },
                },
            }
        )
        assert (await sender.next_line())["statusCode"] == 201
        assert subscription.decrypt((await phone.next_push()).payload).decode() == SECRET
