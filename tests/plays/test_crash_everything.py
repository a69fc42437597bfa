"""Both processes are killed at once, and the XMPP server with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.store import Store
from tests.real.xmpp_server import XmppServer
from tests.soak.crash import crash


@pytest.mark.servers("prosody", "ejabberd")
def test_nothing_is_lost_and_every_duplicate_has_its_reason(
    own_server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    failures = ["kill both processes", "kill everything"]
    outcome = crash(own_server, tmp_path / "provider", migrated, failures, seed=201)
    assert outcome.adds_up, outcome.text
