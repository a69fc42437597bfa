"""Group commit: what comes in at the same time is one group; everyone hears of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from django.db import OperationalError, connection

from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.inbox import Inbox
from pushprovider.models import Account
from tests.real.play import play
from tests.settings import STORE

NO_TABLE = {
    "sqlite": "store: OperationalError: no such table: nowhere",
    "postgresql": 'store: ProgrammingError: relation "nowhere" does not exist',
}[STORE]


class Commits:
    """Stands for the store: notes each group, doubles each item, can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.has_begun = threading.Event()
        self.failure: Exception | None = None

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.has_begun.set()
        self.may_go.wait(5)
        self.groups.append(list(items))
        if self.failure is not None:
            raise self.failure
        return [item * 2 for item in items]


@asynccontextmanager
async def inbox(commits: Commits, **options: int) -> AsyncIterator[Inbox[int, int]]:
    thread = DatabaseThread()
    try:
        yield Inbox(thread, commits, **options)
    finally:
        commits.may_go.set()
        thread.close()


async def begun(commits: Commits, box: Inbox[int, int], *items: int) -> list[asyncio.Task[int]]:
    """Put items in while the commit is held up; the first is a group of its own."""
    commits.may_go.clear()
    commits.has_begun.clear()
    tasks = [asyncio.create_task(box.put(item)) for item in items[:1]]
    assert await asyncio.to_thread(commits.has_begun.wait, 5)
    tasks += [asyncio.create_task(box.put(item)) for item in items[1:]]
    await asyncio.sleep(0)  # each has a turn
    return tasks


@play
async def test_it_works() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        assert await box.put(21) == 42
    assert commits.groups == [[21]]


@play
async def test_what_comes_at_the_same_time_is_one_group() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        assert await asyncio.gather(*(box.put(n) for n in range(9))) == [n * 2 for n in range(9)]
    assert commits.groups == [list(range(9))]


@play
async def test_the_next_group_gathers_during_a_commit() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        tasks = await begun(commits, box, 1, 2, 3, 4)
        assert not any(task.done() for task in tasks)
        commits.may_go.set()
        assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert commits.groups == [[1], [2, 3, 4]]


@play
async def test_a_group_has_a_largest_size() -> None:
    commits = Commits()
    async with inbox(commits, group=3) as box:
        await asyncio.gather(*(box.put(n) for n in range(8)))
    assert commits.groups == [[0, 1, 2], [3, 4, 5], [6, 7]]


@play
async def test_one_failure_is_told_to_its_whole_group_only() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        commits.failure = OperationalError("disk I/O error")
        first = await asyncio.gather(*(box.put(n) for n in range(3)), return_exceptions=True)
        commits.failure = None
        assert await box.put(5) == 10
    assert [type(answer) for answer in first] == [StoreTrouble] * 3


@play
async def test_a_mistake_of_ours_is_told_too() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        commits.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await box.put(1)
        commits.failure = None
        assert await box.put(5) == 10


@play
async def test_there_is_only_so_much_room() -> None:
    commits = Commits()
    async with inbox(commits, room=2) as box:
        tasks = await begun(commits, box, 1, 2, 3)
        with pytest.raises(StoreTrouble):
            await box.put(4)
        commits.may_go.set()
        assert await asyncio.gather(*tasks) == [2, 4, 6]
        assert await box.put(5) == 10


@play
async def test_a_sender_that_gives_up_disturbs_nobody() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        tasks = await begun(commits, box, 1, 2, 3)
        tasks[1].cancel()
        await asyncio.sleep(0)
        commits.may_go.set()
        assert [await tasks[0], await tasks[2]] == [2, 6]
        assert await box.put(4) == 8


@play
async def test_it_drains() -> None:
    commits = Commits()
    async with inbox(commits) as box:
        await box.drain()
        tasks = await begun(commits, box, 1, 2, 3)
        commits.may_go.set()
        await box.drain()
        assert commits.groups == [[1], [2, 3]]
        assert await asyncio.gather(*tasks) == [2, 4, 6]


# --- the database thread --------------------------------------------------------------------------


@play
async def test_all_calls_run_in_one_thread() -> None:
    thread = DatabaseThread()
    names = [await thread.run(lambda: threading.current_thread().name) for _ in range(3)]
    thread.close()
    assert len(set(names)) == 1
    assert names[0] != threading.current_thread().name


def test_database_errors_are_store_trouble(store: None, caplog: pytest.LogCaptureFixture) -> None:
    thread = DatabaseThread()

    def broken() -> None:
        connection.cursor().execute("SELECT * FROM nowhere")

    with pytest.raises(StoreTrouble):
        asyncio.run(thread.run(broken))
    assert caplog.messages == [NO_TABLE]
    assert asyncio.run(thread.run(Account.objects.count)) == 0
    thread.close()


def test_closing_it_closes_its_connection(store: None) -> None:
    thread = DatabaseThread()

    def connected() -> object:
        connection.ensure_connection()
        return connection.connection

    raw = asyncio.run(thread.run(connected))
    thread.close()
    with pytest.raises(Exception, match=r"closed database|connection is closed"):
        raw.execute("SELECT 1")  # type: ignore[attr-defined]  # the driver's own connection
