"""Rate limits per receiver. The clock is a number."""

from __future__ import annotations

from pushprovider import limiter
from pushprovider.limiter import Limiter
from upconfig.env import Rate

NOW = 1_800_000_000_000
ENDPOINT, OTHER = 1, 2


def allowed(limits: Limiter, key: int, number: int, now: int = NOW) -> int:
    """Return how many of `number` messages pass at one moment."""
    passed = 0
    for _ in range(number):
        if not limits.wait(key, now):
            limits.take(key, now)
            passed += 1
    return passed


def test_it_allows_a_burst_and_no_more() -> None:
    assert allowed(Limiter(Rate(2, 100)), ENDPOINT, 150) == 100


def test_it_allows_the_average_rate_for_ever() -> None:
    limits = Limiter(Rate(2, 1))
    assert sum(allowed(limits, ENDPOINT, 5, NOW + 500 * step) for step in range(100)) == 100


def test_it_says_when_to_come_back() -> None:
    limits = Limiter(Rate(0.1, 1))
    limits.take(ENDPOINT, NOW)
    assert limits.wait(ENDPOINT, NOW) == 10
    assert limits.wait(ENDPOINT, NOW + 10_000) == 0


def test_one_receiver_does_not_use_up_another_ones_rate() -> None:
    limits = Limiter(Rate(2, 5))
    allowed(limits, ENDPOINT, 50)
    assert allowed(limits, OTHER, 50) == 5


def test_off_allows_everything() -> None:
    assert allowed(Limiter(None), ENDPOINT, 10_000) == 10_000


def test_it_forgets_receivers_that_have_gone_quiet() -> None:
    limits = Limiter(Rate(2, 5))
    for key in range(limiter._SWEEP_AT + 1):
        limits.take(key, NOW + key * 10_000)
    assert len(limits._next) == 1


def test_a_clock_that_is_set_back_makes_nobody_wait() -> None:
    limits = Limiter(Rate(2, 100))
    allowed(limits, ENDPOINT, 100)
    limits.take(OTHER, NOW)
    before = NOW - 3_600_000
    assert allowed(limits, OTHER, 150, before) == 100
    assert allowed(limits, ENDPOINT, 150, before) == 100
    assert limits.wait(ENDPOINT, before) == 1


def test_a_clock_that_is_trimmed_gives_nobody_a_second_burst() -> None:
    limits = Limiter(Rate(2, 100))
    allowed(limits, ENDPOINT, 100)
    assert allowed(limits, ENDPOINT, 100, NOW - 900) == 0


def test_what_was_given_back_was_never_taken() -> None:
    limits = Limiter(Rate(2, 3))
    allowed(limits, ENDPOINT, 3)
    limits.give_back(ENDPOINT)
    limits.give_back(OTHER)
    assert allowed(limits, ENDPOINT, 3) == 1
    assert allowed(limits, OTHER, 5) == 3
