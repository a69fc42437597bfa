"""One turn: one contender, one load, until every push has arrived and is settled."""

from __future__ import annotations

import sys
import time
from itertools import count

from bench import usage, wire
from bench.contenders import Contender
from bench.figures import CREATED, Turn, reckon
from bench.setting import Setting
from tests.real.waiting import tail

#: How long the last pushes of a turn may take to arrive before they count as lost, in seconds.
ARRIVE_SECONDS = 60.0
_turns = count(1)


def turn(
    here: Setting, contender: Contender, connections: int, seconds: float, pause: float = 0.0
) -> Turn:
    """Push for so long over so many connections and return what came of it."""
    sent, got = here.folder / "sent", here.folder / "got"
    here.phones.ask(do="collect", file=str(got))  # late ones of the turn before
    processes = contender.processes() | {
        "prosody": here.prosody.process.pid,
        "phones": here.phones.pid,
        "load": here.load.pid,
    }
    meter = usage.Meter(processes)
    here.load.ask(
        endpoints=here.endpoints[contender.name],
        connections=connections,
        seconds=seconds,
        pause=pause,
        number=next(_turns) << 32,  # no number comes twice in a run of the bench
        file=str(sent),
    )
    posts = wire.read_records(sent)
    accepted = sum(status == CREATED for _, _, _, status in posts)
    here.phones.ask(do="wait", pushes=accepted, seconds=ARRIVE_SECONDS)
    _wait_until_settled(contender)
    spent = meter.spent()
    resident = {name: usage.resident_kb(pid) for name, pid in processes.items()}
    here.phones.ask(do="collect", file=str(got))
    one = reckon(contender.name, connections, posts, wire.read_records(got), spent, resident)
    if one.refused or one.lost or one.broken:
        print(tail(contender.log_text()), file=sys.stderr)
    return one


def _wait_until_settled(contender: Contender) -> None:
    """What answers cost belongs to the turn that they answer."""
    until = time.monotonic() + ARRIVE_SECONDS
    while contender.waiting() and time.monotonic() < until:
        time.sleep(0.1)
