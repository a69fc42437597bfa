"""A smaller world for the crash plays: load, a given row of failures, the same audit."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path

from tests.real.store import Store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer
from tests.soak.characters import Character, asleep, flapping, online
from tests.soak.run import Outcome, judge
from tests.soak.world import World

#: Rounds of a crash play. `make test` has time for a few; CRASH_ROUNDS=100 is the whole thing.
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
#: Seconds of load between a repair and the next failure.
BETWEEN = (0.05, 0.8)
#: Messages posted after each repair, at least.
LOAD = 20
#: Seconds one round may take at most, on a busy machine.
PATIENCE = 30

#: Phones that bind anew get what waits at once, also right after a crash; the others see the grace.
POPULATION: tuple[tuple[Character, str, bool], ...] = (
    (online, "anna", True),
    (online, "anna", False),
    (online, "bert", False),
    (asleep, "bert", True),
    (flapping, "carl", True),
    (flapping, "dora", False),
    (flapping, "emil", False),
    (flapping, "fritz", False),
)
#: Nothing is evicted: all of it must arrive.
QUOTA = 100_000


def crash(
    server: XmppServer,
    folder: Path,
    migrated: Store,
    failures: Sequence[str],
    *,
    seed: int,
    rate: float = 60,
) -> Outcome:
    """Let the failures happen under load, one after the other; then settle and audit."""
    folder.mkdir()
    world = World(
        server,
        folder,
        seed=seed,
        rate=rate,
        migrated=migrated,
        max_stored_per_endpoint=QUOTA,
        max_stored_per_account=QUOTA,
    )
    return asyncio.run(_crash(world, failures))


async def _crash(world: World, failures: Sequence[str]) -> Outcome:
    async with asyncio.timeout(120 + PATIENCE * len(failures)):
        try:
            await asyncio.to_thread(world.provider.start)
            await world.populate(POPULATION)
            world.begin()
            await world.live(PATIENCE * len(failures), _fail(world, failures))
            drained = await world.settle()
        finally:
            await world.close()
    done = sum(world.ledger.faults.values())
    assert done == len(failures), f"only {done} failures happened"
    outcome = judge(world, f"{done} failures, seed {world.seed}; drained in {drained:.1f} s")
    print(outcome.text)
    return outcome


async def _fail(world: World, failures: Sequence[str]) -> None:
    moments = random.Random(world.seed)
    for failure in failures:
        await _load(world)
        await asyncio.sleep(moments.uniform(*BETWEEN))
        await world.faults.happen(failure)
    await _load(world)


async def _load(world: World) -> None:
    """Return when some more messages were accepted."""
    goal = len(world.ledger.posts) + LOAD
    await eventually(
        lambda: len(world.ledger.posts) >= goal,
        PATIENCE,
        "messages are accepted",
        world.provider.log_text,
    )
