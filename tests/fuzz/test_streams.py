"""A server that breaks its stream in every way: the component says so, comes back, and serves."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import pytest

from tests.fuzz import ROUNDS, SEED
from tests.fuzz.component import Victim, victim
from tests.fuzz.server import Closed
from tests.fuzz.streams import AFTER, BEFORE, HARMLESS, registers
from tests.real import gauge
from tests.real.gauge import MIB


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(tmp_path_factory.mktemp("streams")) as one:
        yield one


@pytest.mark.parametrize("name", BEFORE)
def test_a_server_that_says_this_instead_of_hello(name: str, component: Victim) -> None:
    before = gauge.memory(component.pid)
    component.stream.close()
    component.stream = component.server.accept()
    with contextlib.suppress(Closed):
        component.stream.send(BEFORE[name])
    component.stream.is_closed(0.2)
    component.again()
    assert gauge.memory(component.pid) - before < 32 * MIB


@pytest.mark.parametrize("name", AFTER)
def test_a_stream_that_ends_with_this(name: str, component: Victim) -> None:
    before = gauge.memory(component.pid)
    with contextlib.suppress(Closed):
        component.stream.send(AFTER[name])
    assert component.stream.is_closed(0.2 if "half" in name else 5) or "half" in name
    component.again()
    assert gauge.memory(component.pid) - before < 32 * MIB


@pytest.mark.parametrize("name", HARMLESS)
def test_a_stream_goes_on_after_this(name: str, component: Victim) -> None:
    component.stream.send(HARMLESS[name])
    assert component.serves()


def test_strangers_leave_nothing_in_memory(component: Victim) -> None:
    """slixmpp alone would keep each of them in a roster, 0.8 kB for each."""
    held = []
    for batch in range(2):
        for kind in ("subscribe", "probe", "subscribed", "error"):
            for number in range(2500):
                sender = f"stranger-{batch}-{kind}-{number}@evil.example"
                component.stream.send(
                    f"<presence from='{sender}' to='up.localhost' type='{kind}'/>"
                )
            assert component.serves()
        held.append(gauge.memory(component.pid))
    assert held[1] - held[0] < 4 * MIB


def test_more_registers_than_can_wait_are_all_answered(component: Victim) -> None:
    before = gauge.memory(component.pid)
    for xml in registers(6000):
        component.stream.send(xml)
    assert component.serves()
    assert gauge.memory(component.pid) - before < 32 * MIB


def test_what_is_cut_and_changed_at_random(component: Victim) -> None:
    dice = random.Random(SEED)
    good = b"".join(HARMLESS[name] for name in ("features", "another handshake", "other elements"))
    for _ in range(2 * ROUNDS):
        octets = bytearray(good)
        for _ in range(dice.randrange(1, 8)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        with contextlib.suppress(Closed):
            component.stream.send(bytes(octets))
        component.again()
    component.check()
