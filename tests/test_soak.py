"""A short soak: failures for twenty seconds, then everything adds up. The long one: `make soak`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.soak.run import soak


def test_everything_adds_up_after_twenty_seconds_of_failures(tmp_path: Path) -> None:
    outcome = asyncio.run(soak("prosody", tmp_path, seconds=20, seed=20, pauses=(0.2, 1.5)))
    print(outcome.text)
    assert outcome.adds_up, outcome.text
