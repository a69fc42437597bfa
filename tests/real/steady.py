"""A server and a provider that many plays share, each play with accounts of its own.

They are not the plays' shared_server: two providers on one server would serve the same component.
A test module asks for them with `pytest_plugins = ["tests.real.steady"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.steps import NewPhone
from tests.real.xmpp_server import XmppServer


@pytest.fixture(scope="session")
def steady_server(
    server_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[XmppServer]:
    """Serve the plays that need nothing special of a server."""
    server = new_server(server_name, tmp_path_factory.mktemp(f"steady-{server_name}"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def steady(
    steady_server: XmppServer, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """Provide: without rate limits, with room for a thousand messages."""
    settings = {
        "push_rate_per_endpoint": "off",
        "push_rate_per_account": "off",
        "max_stored_per_endpoint": 1000,
        "max_stored_per_account": 2000,
    }
    folder = tmp_path_factory.mktemp("steady-provider")
    provider = Provider(folder, steady_server, migrated=migrated, settings=settings)
    provider.start()
    yield provider
    provider.close()
    provider.assert_clean_logs()


@pytest.fixture
def steady_phone(steady_server: XmppServer, account: str) -> NewPhone:
    """Make a phone of this play's account, not yet connected: steady_phone(resumable=True)."""
    return phone_maker(steady_server, account)


@pytest.fixture(scope="session")
def hasty_server(
    server_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[XmppServer]:
    """Serve plays that need it to give up a phone soon; 3000 bytes are its longest stanza."""
    server = new_server(
        server_name,
        tmp_path_factory.mktemp(f"hasty-{server_name}"),
        hibernation_seconds=2,
        ack_seconds=2,
        component_stanza_limit=3000,
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
def hasty(hasty_server: XmppServer, migrated: Path, tmp_path: Path) -> Iterator[Provider]:
    """Provide on the hasty server, for one play."""
    provider = Provider(tmp_path, hasty_server, migrated=migrated)
    provider.start()
    yield provider
    provider.close()
    print(provider.log_text())  # pytest shows it when the play fails
    provider.assert_clean_logs()


@pytest.fixture
def hasty_phone(hasty_server: XmppServer, account: str) -> NewPhone:
    """Make a phone on the hasty server, not yet connected."""
    return phone_maker(hasty_server, account)


def new_server(name: str, folder: Path, **options: int) -> Prosody | Ejabberd:
    """Return a server by its name, not yet started."""
    if name == "prosody":
        return Prosody(folder, **options)  # type: ignore[arg-type]  # the numbers both know
    return Ejabberd(folder, **options)  # type: ignore[arg-type]


def phone_maker(server: XmppServer, account: str) -> NewPhone:
    """Return a function that makes phones; `suffix` gives one another account."""

    def make(suffix: str = "", **options: object) -> Phone:
        name = f"{account}{suffix}"
        server.add_user(name, "secret")
        return Phone(server, name, **options)  # type: ignore[arg-type]  # Phone's own options

    return make
