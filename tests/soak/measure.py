"""`python -m tests.soak.measure`: what absent phones cost the others. Prints figures, judges none.

1. The POST's p99 with 30 % of the phones asleep against all awake, alternating.
2. A backlog over many phones: its drain rate against the online rate; the component's memory.
3. The cost of a delivery to an online phone with nothing, and with all that, waiting for others.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.real.gauge import MIB, cpu, memory, peak
from tests.real.prosody import Prosody
from tests.real.provider import Provider
from tests.real.waiting import eventually
from tests.soak import rows
from tests.soak.home import Home
from tests.soak.posting import Posting

LIMITS_OFF: dict[str, object] = {
    "push_rate_per_endpoint": "off",
    "push_rate_per_account": "off",
    "max_stored_per_endpoint": 2000,  # nothing is evicted when posting is faster than delivering
    "max_stored_per_account": 2000,
}
#: The phones that stay online while the others are away.
ONLINE = 20


def p(percent: float, values: Sequence[float]) -> float:
    """Return a percentile in milliseconds."""
    return sorted(values)[min(int(len(values) * percent / 100), len(values) - 1)] * 1000


async def asleep_or_awake(server: Prosody, provider: Provider, rounds: int) -> None:
    """Measure the POST with and without sleeping phones."""
    home, sleeping = Home(), 18
    endpoints = await home.open(server, 60)
    delays: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * rounds):
        sleep = number % 2 == 1
        posting = Posting(endpoints)
        if sleep:
            await home.do("leave", last=sleeping, sleep=True)
        await posting.at_a_rate(150, 15, 12)
        if sleep:
            await home.do("resume", last=sleeping)
        await eventually(lambda: not rows.waiting(provider.store), 120, "all is delivered")
        delays[sleep] += posting.delays
        print(f"  {'30 % asleep' if sleep else 'all awake':<12} {_line(posting.delays)}")
    ratio = p(99, delays[True]) / p(99, delays[False])
    print(f"POST, 150/s, awake : {_line(delays[False])}")
    print(f"POST, 150/s, asleep: {_line(delays[True])}; p99 is {ratio:.2f} of awake's")
    await home.close()


async def backlog(server: Prosody, provider: Provider, phones: int, each: int) -> None:
    """Measure delivery: online, beside a backlog, and of the backlog."""
    home = Home()
    endpoints = await home.open(server, ONLINE + phones)
    others, crowd = endpoints[:ONLINE], endpoints[ONLINE:]
    pid = provider.component.pid
    print(f"component's memory, {phones + ONLINE} phones registered: {memory(pid) / MIB:.0f} MiB")
    await _online(home, others, "warming up", provider, 4000)
    await _online(home, crowd, f"all {phones} phones online", provider, 20_000)
    await _online(home, others, f"{ONLINE} phones, nothing waits", provider, 10_000)
    await home.do("leave", first=ONLINE, sleep=False)
    rate = await Posting(crowd).at_full_speed(20, phones * each)
    waiting = len(rows.waiting(provider.store))
    print(
        f"{waiting} wait (posted at {rate:.0f}/s); component's memory {memory(pid) / MIB:.0f} MiB"
    )
    await home.do("collect")
    await _online(home, others, f"{ONLINE} phones, {waiting} wait", provider, 10_000)
    await home.do("come", first=ONLINE)
    await home.do("collect")
    spent = cpu(pid)
    await home.do("greet", first=ONLINE)
    seconds = await home.received(waiting)
    print(
        f"the backlog drains at {waiting / seconds:.0f}/s, component's CPU"
        f" {(cpu(pid) - spent) / waiting * 1e6:.0f} us a message, its memory"
        f" {memory(pid) / MIB:.0f} MiB, at most {peak(pid) / MIB:.0f} MiB"
    )
    await eventually(lambda: not rows.waiting(provider.store), 60, "all answers are written")
    print(f"pushes beyond {waiting}: {await home.do('count') - waiting}")
    await _online(home, others, f"{ONLINE} phones, nothing waits again", provider, 10_000)
    await _online(home, crowd, f"all {phones} phones online again", provider, 20_000)
    await home.close()


async def _online(
    home: Home, endpoints: list[str], title: str, provider: Provider, number: int
) -> None:
    """Post at full speed to online phones; print the rate, the cost and the delay."""
    pid = provider.component.pid
    await home.do("collect")
    spent, begin = cpu(pid), time.monotonic()
    await Posting(endpoints).at_full_speed(20, number)
    await home.received(number)
    rate = number / (time.monotonic() - begin)
    cost = (cpu(pid) - spent) / number * 1e6
    await home.do("collect")
    await Posting(endpoints).at_a_rate(100, 5, 10)
    await home.received(1000)
    delays = await home.do("collect")
    print(
        f"{title}: {rate:.0f}/s delivered, component's CPU {cost:.0f} us a message;"
        f" at 100/s from POST to phone {_line(delays)}"
    )


def _line(delays: Sequence[float]) -> str:
    return f"p50 {p(50, delays):.1f} ms, p99 {p(99, delays):.1f} ms ({len(delays)})"


async def measure(folder: Path, phones: int, each: int, rounds: int) -> None:
    """Start everything and measure everything."""
    server = Prosody(folder, hibernation_seconds=300)
    provider = Provider(folder, server, settings=LIMITS_OFF)
    try:
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(provider.start)
        if rounds:
            await asleep_or_awake(server, provider, rounds)
        await backlog(server, provider, phones, each)
    finally:
        await asyncio.to_thread(provider.close)
        server.kill()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.measure", description=__doc__)
    parser.add_argument("--phones", type=int, default=1000)
    parser.add_argument("--each", type=int, default=100, help="messages that wait for each")
    parser.add_argument("--rounds", type=int, default=3, help="of asleep and awake")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        asyncio.run(measure(Path(folder), asked.phones, asked.each, asked.rounds))


if __name__ == "__main__":
    main()
