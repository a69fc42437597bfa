"""`make fuzz`: the fuzz tests again and again, each time with other dice, until the time is over.

A failure ends it and says how to repeat it.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
#: How much a long run does with the same processes before they must be as they were.
ROUNDS = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="repeat the run of this seed, once")
    options = parser.parse_args()
    ends = time.monotonic() + options.minutes * 60
    runs = 0
    while not runs or (time.monotonic() < ends and options.seed is None):
        seed = random.randrange(2**31) if options.seed is None else options.seed
        if once(seed) != 0:
            print(f"failed; again with: {sys.executable} -m tests.fuzz --seed {seed}")
            return 1
        runs += 1
    print(f"{runs} runs without a failure")
    return 0


def once(seed: int) -> int:
    print(f"== seed {seed}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER)]
    extra = {"FUZZ_SEED": str(seed), "FUZZ_ROUNDS": str(ROUNDS)}
    return subprocess.run(
        [*command, f"--hypothesis-seed={seed}"], env=os.environ | extra, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
