"""daphne is killed at random moments under load; CRASH_ROUNDS=100 for a hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.store import Store
from tests.real.xmpp_server import XmppServer
from tests.soak.crash import ROUNDS, crash


@pytest.mark.servers("prosody")
def test_nothing_that_was_answered_201_is_lost(
    own_server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    failures = ["kill daphne"] * ROUNDS
    outcome = crash(own_server, tmp_path / "provider", migrated, failures, seed=8030, rate=120)
    assert outcome.adds_up, outcome.text


@pytest.mark.servers("prosody")
def test_nothing_is_lost_when_it_stops_in_good_order(
    own_server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    outcome = crash(own_server, tmp_path / "provider", migrated, ["stop daphne"] * 3, seed=15)
    assert outcome.adds_up, outcome.text
    assert outcome.verdict.unknown == 0, "a POST got no answer although daphne ended in good order"
