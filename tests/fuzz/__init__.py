"""Fuzzing: what nobody sends, sent to the real processes. `make fuzz` runs it long."""

import os

#: How much: 1 is a few seconds, for `make test`.
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "1"))
#: Where the dice begin.
SEED = int(os.environ.get("FUZZ_SEED", "1"))
