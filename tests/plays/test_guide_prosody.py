"""What the guide from mod_unified_push relies on, with the real module in a real Prosody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pushprovider.peerconfig import files
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.ports import LOOPBACK, answers, free_port
from tests.real.prosody import Prosody
from tests.real.stanza import StanzaError

MODULE = "notify.localhost"
EXTRA = """
http_ports = {{ {port} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
http_external_url = "http://127.0.0.1:{port}/"
Component "notify.localhost" "unified_push"
    unified_push_backend = "storage"
    unified_push_acl = {{ "localhost" }}
"""


class Peer:
    """A Prosody that has the module as a component."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.prosody = Prosody(folder, users={"juliet": "s"}, extra=EXTRA.format(port=self.port))
        self.config = folder / "prosody.cfg.lua"

    def change(self, old: str, new: str) -> None:
        """Edit its configuration and restart it."""
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.prosody.stop()
        self.config.write_text(text.replace(old, new), encoding="utf-8")
        self.start()

    def start(self) -> None:
        self.prosody.process.start(
            lambda: answers(self.prosody.c2s_port) and answers(self.port), seconds=20
        )


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    made = Peer(tmp_path)
    made.start()
    yield made
    made.prosody.kill()


async def push(endpoint: str, body: bytes) -> int:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        # Prosody chooses the component by the Host header.
        answer = await client.post(endpoint, content=body, headers={"TTL": "60", "Host": MODULE})
    return answer.status_code


@play
async def test_an_empty_acl_ends_registering_but_not_pushing(peer: Peer) -> None:
    phone = Phone(peer.prosody, "juliet", "s", greets=None)
    async with phone:
        endpoint = (await phone.register(to=MODULE)).endpoint
        assert endpoint.startswith(f"http://{LOOPBACK}:{peer.port}/push/")
    peer.change('unified_push_acl = { "localhost" }', "unified_push_acl = {}")
    async with phone:
        with pytest.raises(StanzaError, match="forbidden"):
            await phone.register(to=MODULE)
        assert await push(endpoint, b"still here") == 201
        assert (await phone.next_push()).payload == b"still here"


@play
async def test_its_configuration_is_read_as_prosody_reads_it(peer: Peer) -> None:
    migrated = files.migrate(peer.config)
    assert migrated.settings == {
        "XMPP_COMPONENT_JID": [MODULE],
        "XMPP_COMPONENT_PORT": [str(peer.prosody.component_port)],
        "REGISTRATION_ACL": ["localhost"],
        "PUBLIC_URL": [f"http://{LOOPBACK}:{peer.port}"],
    }
    data = f"import_prosody --host {MODULE} --data-path {peer.config.parent}/prosody-data"
    assert data in "\n".join(migrated.notes)
