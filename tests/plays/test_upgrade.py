"""A database of every earlier release migrates to this one, with all that is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushprovider import __version__
from pushprovider.models import MessageState
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import arrivals
from tests.real.store import Store, new_store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer
from tests.settings import STORE
from tests.upgrade.past import LIVE, SETTINGS, dumps, restore, schema

pytestmark = pytest.mark.on_both
HINT = "the schema changed: run python -m tests.upgrade (only while this release is not out)"


@pytest.fixture(params=dumps(STORE), ids=lambda dump: dump.stem)
def upgraded(
    request: pytest.FixtureRequest, shared_server: XmppServer, tmp_path: Path
) -> Iterator[Provider]:
    """An operator's server of an earlier release, with this release's code and migrations."""
    key = {"secret_key": SETTINGS["SECRET_KEY"]}
    made = Provider(tmp_path, shared_server, store=new_store(STORE, tmp_path), settings=key)
    restore(request.param, made.store)
    made.manage("migrate", "--noinput", "-v", "0")
    yield made
    made.close()
    made.assert_clean_logs()


def test_there_is_a_dump_of_this_release() -> None:
    assert f"{__version__}.sql" in {dump.name for dump in dumps(STORE)}, HINT


def test_the_schema_is_that_of_a_new_database(upgraded: Provider, migrated: Store) -> None:
    assert schema(upgraded.store) == schema(migrated), HINT


def test_nothing_is_lost(upgraded: Provider) -> None:
    states = upgraded.store.rows(
        "SELECT state, count(*) FROM pushprovider_message GROUP BY state ORDER BY state"
    )
    assert states == [(int(state), 1) for state in MessageState]
    registrations = upgraded.store.rows(
        "SELECT count(*), count(revoked_at) FROM pushprovider_registration"
    )
    assert registrations == [(3, 1)]
    assert upgraded.store.rows(
        "SELECT jid FROM pushprovider_account WHERE blocked_at IS NOT NULL"
    ) == [("tybalt@localhost",)]
    assert upgraded.store.rows("SELECT sum(count) FROM pushprovider_sender") == [(7,)]
    assert upgraded.store.rows("SELECT username FROM auth_user") == [("operator",)]


@play
async def test_it_still_delivers(
    upgraded: Provider, shared_server: XmppServer, new_phone: Callable[..., Phone]
) -> None:
    """What waited arrives, and the old endpoint takes new messages."""
    shared_server.add_user("juliet", "secret")
    endpoint = f"{upgraded.url}/push/{upgraded.manage('shell', '-v', '0', '-c', TOKEN).strip()}"
    upgraded.start_http()
    upgraded.start_component()
    async with Phone(shared_server, "juliet", resource="phone") as phone:
        assert (await arrivals(phone, 2, 30)) == [b"hello", b"hello"]
        assert (await upgraded.post(endpoint, b"of today")).status_code == 201
        await eventually(
            lambda: phone.received[-1].payload == b"of today", 10, "it arrives", upgraded.log_text
        )


TOKEN = f"from pushprovider import tokens; print(tokens.make({LIVE!r}))"
