"""The doctor tells apart why there is no stream, and never disturbs one that is there."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pushprovider.postgresql.session import ACTIVE
from tests.real.component import FakeComponent
from tests.real.doctor import Diagnosis, doctor
from tests.real.listening import hanging_up, mute
from tests.real.play import play
from tests.real.ports import free_port
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.store import PostgresStore, Store
from tests.real.waiting import wait_until
from tests.real.xmpp_server import XmppServer

BOTH = pytest.mark.servers("prosody", "ejabberd")


def ask(provider: Provider, **settings: object) -> Diagnosis:
    return doctor(provider, "--only", "component", **settings)


@BOTH
def test_it_tells_that_only_the_component_is_missing(idle: Provider) -> None:
    found = ask(idle)
    found.assert_only("component.not-running", "would accept")
    assert "disco.fine" in found.findings


@BOTH
def test_it_tells_a_wrong_secret(idle: Provider) -> None:
    ask(idle, XMPP_COMPONENT_SECRET="wrong").assert_only("component.wrong-secret")


def test_it_tells_a_component_that_the_server_does_not_know(idle: Provider) -> None:
    found = ask(idle, XMPP_COMPONENT_JID="nobody.localhost")
    found.assert_only("component.unknown")


def test_it_tells_a_server_that_is_down(idle: Provider) -> None:
    found = ask(idle, XMPP_COMPONENT_PORT=free_port())
    found.assert_only("component.refused", "Connect call failed")


def test_it_tells_a_host_that_has_no_address(idle: Provider) -> None:
    found = ask(idle, XMPP_COMPONENT_HOST="xmpp.invalid")
    found.assert_only("component.unresolved", "no address is known for xmpp.invalid")


@pytest.mark.servers("ejabberd")
def test_it_tells_the_port_of_clients(idle: Provider) -> None:
    found = ask(idle, XMPP_COMPONENT_PORT=idle.server.c2s_port)
    found.assert_only("component.wrong-port")


@pytest.mark.servers("ejabberd")
def test_it_tells_a_name_that_is_a_host_of_the_server(idle: Provider) -> None:
    found = ask(idle, XMPP_COMPONENT_JID="localhost")
    found.assert_only("component.conflict")


@play
async def test_it_tells_that_somebody_else_is_connected(tmp_path: Path, migrated: Store) -> None:
    """Prosody's default refuses the newcomer."""
    server = Prosody(tmp_path / "server", keep_old=True)
    server.start()
    idle = Provider(tmp_path, server, migrated=migrated)
    idle.migrate()
    other = FakeComponent(server)
    try:
        await other.connect()
        ask(idle).assert_only("component.conflict")
        await other.close()
    finally:
        idle.close()
        server.kill()


def test_it_tells_a_port_where_something_else_listens(idle: Provider) -> None:
    with mute() as port:
        ask(idle, XMPP_COMPONENT_PORT=port).assert_only("component.silent")


def test_it_tells_a_server_that_hangs_up(idle: Provider) -> None:
    with hanging_up() as port:
        ask(idle, XMPP_COMPONENT_PORT=port).assert_only("component.lost")


#: What a server says that has no room for us.
BUSY = """<?xml version='1.0'?>
<stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='1' from='up.localhost'
  xmlns='jabber:component:accept'><stream:error>
<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"""


def test_it_tells_another_error_of_the_stream(idle: Provider) -> None:
    with hanging_up(BUSY) as port:
        found = ask(idle, XMPP_COMPONENT_PORT=port)
    found.assert_only("component.stream-error", "resource-constraint")


def test_it_tells_a_component_that_its_server_hides(tmp_path: Path, migrated: Store) -> None:
    server = Prosody(tmp_path / "server", extra="disco_hidden = true")
    server.start()
    idle = Provider(tmp_path, server, migrated=migrated)
    idle.migrate()
    try:
        found = ask(idle)
        assert found.doubtful == {"disco.unlisted"}
        found.assert_says("disco.unlisted", "localhost")
    finally:
        idle.close()
        server.kill()


def test_it_tells_that_a_message_does_not_come_back(
    own_provider: Provider, own_server: Prosody
) -> None:
    """The server hangs, and the component does not know yet."""
    os.killpg(own_server.process.pid, signal.SIGSTOP)
    try:
        doctor(own_provider, "--only", "loop").assert_only("loop.lost", "20 s: sent")
    finally:
        os.killpg(own_server.process.pid, signal.SIGCONT)


@contextmanager
def somebody_is_active(provider: Provider) -> Iterator[None]:
    """Hold the active component's lock."""
    if isinstance(provider.store, PostgresStore):
        with provider.store.server.connect(provider.store.name) as holder:
            holder.execute("SELECT pg_advisory_lock(%s, %s)", ACTIVE)
            yield
    else:
        with (provider.run_dir / "component.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@pytest.mark.on_both
def test_it_tells_a_component_that_says_nothing(idle: Provider) -> None:
    with somebody_is_active(idle):
        ask(idle).assert_only("component.hung")


@BOTH
def test_it_leaves_a_running_component_alone(new_provider: Callable[..., Provider]) -> None:
    provider = new_provider()
    found = doctor(provider)
    assert (found.exit_code, found.wrong) == (0, set()), found.findings
    assert "disco.fine" in found.findings
    assert "delivered in" in found.findings["loop.delivered"]["text"]
    assert provider.times_connected() == 1
    assert "trying again" not in provider.component.log_text()


@pytest.mark.on_both
def test_it_says_what_the_running_component_knows(
    shared_server: XmppServer, tmp_path: Path, migrated: Store
) -> None:
    settings = {"xmpp_component_secret": "wrong"}
    provider = Provider(tmp_path, shared_server, migrated=migrated, settings=settings)
    provider.migrate()
    provider.component.spawn()
    try:
        wait_until(lambda: "not-authorized" in provider.component.log_text(), 15, "it is refused")
        # The lock is held: the doctor's own handshake would be with the right secret here.
        right = shared_server.component_secret
        wait_until(
            lambda: ask(provider, XMPP_COMPONENT_SECRET=right).wrong == {"component.wrong-secret"},
            10,
            "the doctor says what the component said",
        )
    finally:
        provider.close()
