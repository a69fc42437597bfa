"""The component's secret is wrong: the operator is told, the server is not hammered."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.real.provider import Provider
from tests.real.store import Store
from tests.real.waiting import wait_until
from tests.real.xmpp_server import XmppServer

WATCHED_SECONDS = 6


@pytest.mark.servers("prosody", "ejabberd")
def test_it_says_so_and_does_not_hammer(
    own_server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    provider = Provider(
        tmp_path, own_server, migrated=migrated, settings={"xmpp_component_secret": "not-it-5f"}
    )
    try:
        provider.migrate()
        provider.component.spawn()
        wait_until(
            lambda: "not-authorized" in provider.component.log_text(),
            15,
            "the log says not-authorized",
            provider.log_text,
        )
        began = time.monotonic()
        wait_until(
            lambda: time.monotonic() - began > WATCHED_SECONDS or not provider.component.running,
            WATCHED_SECONDS + 1,
            "watched for a while",
        )
    finally:
        provider.close()
    lines = [x for x in provider.component.log_text().splitlines() if "not-authorized" in x]
    assert 1 <= len(lines) <= WATCHED_SECONDS, lines
    assert "XMPP_COMPONENT_SECRET" in lines[0], lines[0]
    provider.assert_clean_logs("not-it-5f")
