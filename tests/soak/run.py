"""One whole soak: start everything, let it live, settle, audit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.real.ejabberd import Ejabberd
from tests.real.prosody import Prosody
from tests.soak import report, rows
from tests.soak.audit import Verdict, audit
from tests.soak.characters import POPULATION
from tests.soak.world import World

#: Shorter than the longest sleeps: some sessions are resumed, some end.
HIBERNATION = 8


@dataclass
class Outcome:
    """What a soak came to; `text` is what there is to read."""

    adds_up: bool
    verdict: Verdict
    text: str


async def soak(
    server_name: str,
    folder: Path,
    *,
    seconds: float,
    seed: int,
    rate: float = 40,
    pauses: tuple[float, float] = (1, 5),
) -> Outcome:
    """Soak a server of this kind for so long, with failures; then let everything settle."""
    kind = {"prosody": Prosody, "ejabberd": Ejabberd}[server_name]
    server = kind(folder, hibernation_seconds=HIBERNATION)
    world = World(server, folder, seed=seed, rate=rate)
    print(f"soak: {server_name}, {seconds:g} s, seed {seed}", flush=True)
    try:
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(world.provider.start)
        await world.populate(POPULATION)
        world.begin()
        await world.live(seconds, world.faults.run(*pauses))
        drained = await world.settle()
    finally:
        await world.close()
        await asyncio.to_thread(server.kill)
    return judge(world, f"{server_name}, {seconds:g} s, seed {seed}; drained in {drained:.1f} s")


def judge(world: World, title: str) -> Outcome:
    """Compare the ledger with the books; the product and the server have ended."""
    try:
        world.provider.assert_clean_logs()
    except AssertionError as error:
        world.ledger.complain(str(error))
    books = rows.read(world.provider.store)
    verdict = audit(
        world.ledger, books, per_endpoint=world.per_endpoint, per_account=world.per_account
    )
    text = f"{title}\n{report.table(world.ledger, verdict)}"
    if verdict.findings:
        text += "\n" + report.histories(world.ledger, books, verdict, world.provider)
    return Outcome(not verdict.findings, verdict, text)
