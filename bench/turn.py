"""One turn: one contender, one load, until every push has arrived and is settled."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import count

from bench import usage, wire
from bench.contenders import WINDOW, Contender
from bench.figures import CREATED, Load, Turn, reckon
from bench.setting import Setting
from tests.real.waiting import tail

#: How long the last messages of a turn may wait to be settled, in seconds.
_SETTLE_SECONDS = 60.0
#: How long the last answers of an open loop may take.
PATIENCE_SECONDS = 30.0
_turns = count(1)


def turn(
    here: Setting,
    contender: Contender,
    load: Load,
    meanwhile: Callable[[], object] | None = None,
) -> Turn:
    """Push as `load` says and return what came of it. `meanwhile` is done while it goes on."""
    sent, got = here.folder / "sent", here.folder / "got"
    here.phones.ask(do="collect", file=str(got))  # late ones of the turn before
    pusher = contender.pusher(here.load)
    meter = usage.Meter(
        contender.processes()
        | {
            "prosody": [here.prosody.process.pid],
            "phones": [here.phones.pid],
            "load": [here.load.pid],
        }
    )
    pusher.tell(
        endpoints=here.endpoints[contender.name],
        ports=contender.ports,
        connections=load.connections,
        seconds=load.seconds,
        pause=load.pause,
        rate=load.rate,
        patience=PATIENCE_SECONDS,
        window=WINDOW,
        number=next(_turns) << 32,  # no number comes twice in a run of the bench
        file=str(sent),
    )
    if meanwhile is not None:
        meanwhile()
    pusher.answer()
    posts = wire.read_records(sent)
    accepted = sum(status == CREATED for _, _, _, status in posts)
    here.phones.ask(do="wait", pushes=accepted, seconds=contender.arrive_seconds)
    _wait_until_settled(contender)
    spent, resident = meter.spent(), meter.resident_kb()
    here.phones.ask(do="collect", file=str(got))
    one = reckon(contender.name, load, posts, wire.read_records(got), spent, resident)
    if meanwhile is None and (one.refused or one.lost or one.broken):
        print(tail(contender.log_text()), file=sys.stderr)
    return one


def _wait_until_settled(contender: Contender) -> None:
    """What answers cost belongs to the turn that they answer."""
    until = time.monotonic() + _SETTLE_SECONDS
    while contender.waiting() and time.monotonic() < until:
        time.sleep(0.1)
