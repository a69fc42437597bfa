"""A server and a provider that many plays share, each play with accounts of its own.

They live until the end of the session, whatever the order of the plays. They are not the plays'
shared_server: two providers on one server would serve the same component.
A test module asks for them with `pytest_plugins = ["tests.real.steady"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.steps import NewPhone
from tests.real.store import Store
from tests.real.xmpp_server import XmppServer


@pytest.fixture(scope="session")
def steadies(
    migrated: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Provider]]:
    """Return the steady provider of a server, made when it is first asked for."""
    settings = {
        "push_rate_per_endpoint": "off",
        "push_rate_per_account": "off",
        "max_stored_per_endpoint": 1000,
        "max_stored_per_account": 2000,
    }
    made: dict[str, tuple[Provider, Prosody | Ejabberd]] = {}

    def get(name: str) -> Provider:
        if name not in made:
            folder = tmp_path_factory.mktemp(f"steady-{name}")
            # Phones sleep in these plays for as long as the machine takes to post to them.
            server = new_server(name, folder, hibernation_seconds=300)
            provider = Provider(folder, server, migrated=migrated, settings=settings)
            made[name] = provider, server
            server.start()
            provider.start()
        return made[name][0]

    yield get
    for provider, server in made.values():
        provider.close()
        server.kill()
        provider.assert_clean_logs()


@pytest.fixture
def steady(steadies: Callable[[str], Provider], server_name: str) -> Provider:
    """Provide: without rate limits, with room for a thousand messages."""
    return steadies(server_name)


@pytest.fixture
def steady_phone(steady: Provider, account: str) -> NewPhone:
    """Make a phone of this play's account, not yet connected: steady_phone(resumable=True)."""
    return phone_maker(steady.server, account)


@pytest.fixture(scope="session")
def hasty_servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Prosody | Ejabberd]]:
    """Return a server that soon gives up a phone; 3000 bytes are its longest stanza."""
    made: dict[str, Prosody | Ejabberd] = {}

    def get(name: str) -> Prosody | Ejabberd:
        if name not in made:
            made[name] = new_server(
                name,
                tmp_path_factory.mktemp(f"hasty-{name}"),
                hibernation_seconds=2,
                ack_seconds=2,
                component_stanza_limit=3000,
            )
            made[name].start()
        return made[name]

    yield get
    for server in made.values():
        server.kill()


@pytest.fixture
def hasty_server(
    hasty_servers: Callable[[str], Prosody | Ejabberd], server_name: str
) -> Prosody | Ejabberd:
    """Serve plays that need it to give up a phone soon, or to refuse a stanza."""
    return hasty_servers(server_name)


@pytest.fixture
def hasty(hasty_server: XmppServer, migrated: Store, tmp_path: Path) -> Iterator[Provider]:
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
