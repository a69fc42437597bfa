"""The cast of every play: a server, the product's two processes, an account."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.store import Store, new_store
from tests.real.xmpp_server import XmppServer
from tests.settings import STORE

SERVERS: dict[str, type[Prosody] | type[Ejabberd]] = {"prosody": Prosody, "ejabberd": Ejabberd}


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker that chooses the servers of a play."""
    config.addinivalue_line(
        "markers", "servers(*names): run this play against these servers; prosody if not given"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a play once for each server its marker names."""
    if "server_name" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("servers")
        names = marker.args if marker else ("prosody",)
        metafunc.parametrize("server_name", names, scope="session")


@pytest.fixture(scope="session")
def shared_servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], XmppServer]]:
    """Return a server by its name; each is started once, whatever the order of the plays."""
    made: dict[str, XmppServer] = {}

    def get(name: str) -> XmppServer:
        if name not in made:
            made[name] = SERVERS[name](tmp_path_factory.mktemp(name))
            made[name].start()
        return made[name]

    yield get
    for server in made.values():
        server.stop()


@pytest.fixture
def shared_server(shared_servers: Callable[[str], XmppServer], server_name: str) -> XmppServer:
    """A server that no play stops."""
    return shared_servers(server_name)


@pytest.fixture
def server(shared_server: XmppServer, account: str) -> XmppServer:
    """The shared server, with this play's own account."""
    shared_server.add_user(account, "secret")
    return shared_server


@pytest.fixture
def own_server(server_name: str, tmp_path: Path, account: str) -> Iterator[XmppServer]:
    """A server for this play alone, which may stop, kill and restart it."""
    started = SERVERS[server_name](tmp_path / "server", users={account: "secret"})
    started.start()
    yield started
    started.kill()


@pytest.fixture
def account(request: pytest.FixtureRequest) -> str:
    """The name of this play's account: no play meets the sessions of another."""
    return "".join(c for c in request.node.name.lower() if c.isalnum())[-60:]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that has the tables, of the kind that this run is for."""
    return migrated_store(STORE, tmp_path_factory)


@pytest.fixture
def new_provider(
    server: XmppServer, tmp_path: Path, migrated: Store
) -> Iterator[Callable[..., Provider]]:
    """Start the product on the shared server, with settings: new_provider(max_ttl=60)."""
    made: list[Provider] = []

    def start(**settings: object) -> Provider:
        folder = tmp_path / f"provider{len(made)}"
        folder.mkdir()
        made.append(Provider(folder, server, migrated=migrated, settings=settings))
        made[-1].start()
        return made[-1]

    yield start
    close_all(made)


@pytest.fixture
def provider(new_provider: Callable[..., Provider]) -> Provider:
    """The product with its default settings."""
    return new_provider()


@pytest.fixture
def own_provider(own_server: XmppServer, tmp_path: Path, migrated: Store) -> Iterator[Provider]:
    """The product on the play's own server."""
    made = Provider(tmp_path, own_server, migrated=migrated)
    made.start()
    yield made
    close_all([made])


@pytest.fixture
def idle(shared_server: XmppServer, tmp_path: Path, migrated: Store) -> Iterator[Provider]:
    """The product installed, with no process running."""
    made = Provider(tmp_path, shared_server, migrated=migrated)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def new_phone(server: XmppServer, account: str) -> Callable[..., Phone]:
    """Make this play's phone, not yet connected: new_phone(resumable=True)."""

    def make(**options: object) -> Phone:
        return Phone(server, account, **options)  # type: ignore[arg-type]  # Phone's own options

    return make


@pytest.fixture
def phone(new_phone: Callable[..., Phone]) -> Phone:
    """This play's phone, not yet connected."""
    return new_phone()


@pytest.fixture
def node() -> str:
    """The node program, for the parts that are written in JavaScript."""
    program = shutil.which("node")
    assert program, "node is missing: run tests/install-parts.sh"
    return program


def migrated_store(kind: str, factory: pytest.TempPathFactory) -> Store:
    """Return a new store that has the tables: providers begin with a copy of it."""
    folder = factory.mktemp("migrated")
    maker = Provider(folder, Prosody(folder), store=new_store(kind, folder))
    try:
        maker.migrate()
    finally:
        maker.close()
    return maker.store


def close_all(providers: list[Provider]) -> None:
    """Stop the product; what it logged during the play must be clean."""
    for each in providers:
        each.close()
        print(each.log_text())  # pytest shows it when the play fails
    for each in providers:
        each.assert_clean_logs()
