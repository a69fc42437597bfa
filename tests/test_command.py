"""`manage.py runxmppcomponent`: what it says and how it ends when something is missing."""

from __future__ import annotations

import select
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real import postgres
from tests.real.ports import LOOPBACK, free_port
from tests.real.process import ManagedProcess, plain_environment
from tests.real.provider import MANAGE
from tests.real.waiting import wait_until
from tests.settings import ENVIRONMENT, ROOT
from tests.trouble import migrated_as
from upconfig.env import EXIT_CONFIG

Start = Callable[..., ManagedProcess]


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Start]:
    """Start the command with these settings: component(XMPP_COMPONENT_SECRET="")."""
    started: list[ManagedProcess] = []
    run_dir = tempfile.mkdtemp(prefix="pp-")

    def start(**settings: object) -> ManagedProcess:
        environment = plain_environment() | ENVIRONMENT | {"RUN_DIR": run_dir}
        environment |= {"XMPP_COMPONENT_HOST": LOOPBACK, "PYTHONUNBUFFERED": "1"}
        environment |= {name: str(value) for name, value in settings.items()}
        command = [*MANAGE, "runxmppcomponent"]
        process = ManagedProcess("component", command, environment, ROOT, tmp_path / "log")
        process.spawn()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
    shutil.rmtree(run_dir)


def last_line(process: ManagedProcess) -> str:
    """Return the only line of a process that ended because of its configuration."""
    assert process.wait_exit() == EXIT_CONFIG
    [line] = process.log_text().splitlines()
    assert line.startswith("pushprovider: ")
    return line.removeprefix("pushprovider: ")


def lines(process: ManagedProcess) -> list[str]:
    return [
        line for line in process.log_text().splitlines() if "WARNING" in line or "ERROR" in line
    ]


# --- what ends it ---------------------------------------------------------------------------------


def test_a_missing_setting(component: Start) -> None:
    assert last_line(component(XMPP_COMPONENT_SECRET="")).startswith(
        "XMPP_COMPONENT_SECRET is missing"
    )


def test_a_database_without_tables(component: Start, tmp_path: Path) -> None:
    line = last_line(component(DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3"))
    assert "manage.py migrate" in line


def test_a_database_of_a_newer_version(component: Start, store: None) -> None:
    with migrated_as("9999_later"):
        line = last_line(component())
    assert line.startswith("the database is of a newer version")


def test_a_database_that_is_not_there(component: Start, tmp_path: Path) -> None:
    line = last_line(component(DATABASE_URL=f"sqlite:///{tmp_path}/no/such.sqlite3"))
    assert line.startswith("DATABASE_URL: the database cannot be opened")


def test_a_database_that_is_none(component: Start, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk" * 4096)
    line = last_line(component(DATABASE_URL=f"sqlite:///{tmp_path}/junk"))
    assert line.startswith("DATABASE_URL")


@pytest.mark.postgresql
def test_a_postgresql_database_that_is_not_there(component: Start, store: None) -> None:
    line = last_line(component(DATABASE_URL=postgres.shared().url("nowhere")))
    assert line.startswith("DATABASE_URL: the database cannot be opened")
    assert 'database "nowhere" does not exist' in line


@pytest.mark.postgresql
def test_a_postgresql_that_starts_later_is_waited_for(component: Start) -> None:
    server = postgres.Postgres()
    try:
        process = component(DATABASE_URL=server.url("postgres"))
        wait_until(lambda: "does not answer" in process.log_text(), 15, "a line", process.log_text)
        server.start()
        assert process.wait_exit() == EXIT_CONFIG
        assert "manage.py migrate" in process.log_text()
    finally:
        server.remove()


def test_a_run_dir_that_cannot_be_made(component: Start, tmp_path: Path, store: None) -> None:
    (tmp_path / "file").touch()
    assert last_line(component(RUN_DIR=tmp_path / "file")).startswith("RUN_DIR")


# --- what does not --------------------------------------------------------------------------------


def test_a_refused_connection_is_one_line(component: Start, store: None) -> None:
    process = component(XMPP_COMPONENT_PORT=free_port())
    wait_until(lambda: lines(process), 15, "a line", process.log_text)
    [line] = lines(process)
    assert "cannot connect" in line
    assert process.terminate(5) == 0
    assert "Traceback" not in process.log_text()
    assert len(process.log_text().splitlines()) <= 3


def test_a_server_that_hangs_up_is_not_called_in_a_loop(component: Start, store: None) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        process = component(XMPP_COMPONENT_PORT=listener.getsockname()[1])
        times = []
        for _ in range(3):
            assert select.select([listener], [], [], 15)[0], process.log_text()
            times.append(time.monotonic())
            client, _ = listener.accept()
            with client:
                client.recv(4096)  # to close with something unread would be a reset, at times
        assert times[1] - times[0] > 0.7
        assert times[2] - times[1] > 1.4
        assert process.terminate(5) == 0
    said = [line.partition("WARNING")[2] for line in lines(process)]
    assert len(said) == len(set(said)), process.log_text()
    assert "Traceback" not in process.log_text()
    assert ENVIRONMENT["XMPP_COMPONENT_SECRET"] not in process.log_text()


def test_a_server_that_says_nothing_can_be_left(component: Start, store: None) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        process = component(XMPP_COMPONENT_PORT=listener.getsockname()[1])
        assert select.select([listener], [], [], 15)[0], process.log_text()
        assert process.terminate(5) == 0
    assert "Traceback" not in process.log_text()


def test_a_second_one_stands_by_and_takes_over(component: Start, store: None) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        first = component(XMPP_COMPONENT_PORT=port)
        assert select.select([listener], [], [], 15)[0], first.log_text()
        second = component(XMPP_COMPONENT_PORT=port)
        wait_until(lambda: "standing by" in second.log_text(), 15, "a standby", second.log_text)
        listener.accept()[0].close()
        first.kill()
        assert select.select([listener], [], [], 5)[0], second.log_text()
        assert second.terminate(5) == 0
