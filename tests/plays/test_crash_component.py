"""The component is killed at random moments under load; CRASH_ROUNDS=100 for a hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.store import Store
from tests.real.xmpp_server import XmppServer
from tests.soak.crash import ROUNDS, crash

#: Every third one is killed again while it starts.
FAILURES = ["kill component", "kill component", "kill component as it starts"]


@pytest.mark.servers("prosody", "ejabberd")
def test_nothing_is_lost_and_every_duplicate_has_its_reason(
    own_server: XmppServer, server_name: str, tmp_path: Path, migrated: Store
) -> None:
    rounds = ROUNDS if server_name == "prosody" else max(ROUNDS // 3, 1)
    failures = [FAILURES[number % 3] for number in range(rounds)]
    outcome = crash(own_server, tmp_path / "provider", migrated, failures, seed=114)
    assert outcome.adds_up, outcome.text
