"""The XMPP server is stopped, killed and started again under load."""

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
    failures = ["stop server", "kill server"]
    outcome = crash(own_server, tmp_path / "provider", migrated, failures, seed=6120)
    assert outcome.adds_up, outcome.text
