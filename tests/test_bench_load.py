"""The bench's parts: pushes are sent when they are due, stores are filled as the product would."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from bench import fill, http, pacing, wire
from bench.stores import OwnStore
from pushprovider.xmpp import stanzas
from tests.settings import DATABASE

MS = 1_000_000


async def _slow_server(answer_after: float) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(wire.BODY_BYTES)
                await asyncio.sleep(answer_after)
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok")

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    return await asyncio.start_server(serve_and_close, "127.0.0.1", 0)


def _paced(answer_after: float, *, most: int, patience: float) -> list[wire.Record]:
    """Push ten times, 10 ms apart, to a server that takes so long for each."""

    async def run() -> http.Job:
        server = await _slow_server(answer_after)
        port = server.sockets[0].getsockname()[1]
        job = http.Job([f"http://127.0.0.1:{port}/push/x"], [], 0)
        await pacing.Pacer(job, most).run(100, 0.1, patience)
        server.close()
        return job

    flat = asyncio.run(run()).records
    return sorted(zip(*[iter(flat)] * wire.FIELDS, strict=True))


def test_a_push_is_due_at_its_time_whatever_the_answers_take() -> None:
    records = _paced(0.05, most=20, patience=5)
    due = [sent for _, sent, _, _ in records]
    assert [after - before for before, after in pairwise(due)] == [10 * MS] * 9
    assert [status for *_, status in records] == [201] * 10


def test_the_wait_for_a_free_connection_counts() -> None:
    records = _paced(0.05, most=1, patience=5)
    assert [status for *_, status in records] == [201] * 10
    _, due, answered, _ = records[-1]
    # Ten answers of 50 ms, one after the other; the last was due after 90 ms.
    assert answered - due >= 400 * MS


def test_what_is_not_answered_in_the_end_is_noted() -> None:
    records = _paced(30, most=3, patience=0.1)
    assert len(records) == 10
    assert {status for *_, status in records} == {0}


# --- stores that are filled ---------------------------------------------------------------------


@pytest.fixture
def file(store: None, tmp_path: Path) -> Path:
    """A store with the product's own tables and no rows."""
    file = tmp_path / "pushprovider.sqlite3"
    with closing(sqlite3.connect(file)) as copy, closing(sqlite3.connect(DATABASE)) as made:
        made.backup(copy)
        tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table.startswith("pushprovider_"):  # what other tests left
                copy.execute(f"DELETE FROM {table}")
        copy.execute("DELETE FROM sqlite_sequence")
        copy.commit()
    return file


def counted(file: Path) -> dict[str, int]:
    """Check a store and count the rows of three tables."""
    with closing(sqlite3.connect(file)) as store:
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {
            name: store.execute(f"SELECT COUNT(*) FROM pushprovider_{name}").fetchone()[0]
            for name in ("account", "registration", "message")
        }


def messages(file: Path, columns: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as store:
        return store.execute(f"SELECT DISTINCT {columns} FROM pushprovider_message").fetchall()


@pytest.mark.sqlite("the bench fills a file")
def test_registrations_of_others_are_added(file: Path) -> None:
    fill.registrations(file, 25)
    assert counted(file) == {"account": 3, "registration": 25, "message": 0}


@pytest.mark.sqlite("the bench fills a file")
def test_waiting_messages_are_added_a_hundred_an_endpoint(file: Path) -> None:
    fill.waiting(file, 250)
    assert counted(file) == {"account": 1, "registration": 3, "message": 250}
    assert messages(file, "state, size, length(payload), settled_at") == [(0, 1024, 1024, None)]


@pytest.mark.sqlite("the bench fills a file")
def test_logged_messages_are_delivered_and_not_due_to_be_deleted(file: Path) -> None:
    fill.log(file, 1500)
    assert counted(file) == {"account": 1, "registration": 2, "message": 1500}
    assert messages(file, "state, size, length(payload)") == [(2, 1024, 0)]
    now = time.time_ns() // MS
    ((first, last),) = messages(file, "MIN(settled_at), MAX(settled_at)")
    assert now - 41 * 3_600_000 < int(str(first)) < int(str(last)) <= now


@pytest.mark.sqlite("the bench fills a file")
def test_added_messages_have_ids_like_the_products(file: Path) -> None:
    fill.log(file, 3)
    for (uid,) in messages(file, "uid"):
        assert stanzas._UID.fullmatch(str(uid))


@pytest.mark.sqlite("the bench fills a file")
def test_what_waited_before_a_turn_is_not_waited_for(file: Path) -> None:
    looked_at = OwnStore("sqlite", file.parent)
    fill.waiting(file, 5)
    assert looked_at.waiting() == 5
    looked_at.settled()
    assert looked_at.waiting() == 0
    fill.waiting(file, 2)
    assert looked_at.waiting() == 2
