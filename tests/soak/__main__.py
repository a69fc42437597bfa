"""`python -m tests.soak --minutes 10`: soak, print the table, exit 0 if everything adds up."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.soak.run import soak


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long failures happen")
    parser.add_argument("--server", choices=("prosody", "ejabberd"), default="prosody")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument("--rate", type=float, default=40, help="messages a second")
    parser.add_argument("--keep", type=Path, help="a new folder for store and logs, not removed")
    asked = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        if asked.keep:
            asked.keep.mkdir(parents=True)
        outcome = asyncio.run(
            soak(
                asked.server,
                asked.keep or Path(folder),
                seconds=asked.minutes * 60,
                seed=seed,
                rate=asked.rate,
            )
        )
    print(outcome.text)
    return 0 if outcome.adds_up else 1


if __name__ == "__main__":
    sys.exit(main())
