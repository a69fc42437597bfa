"""Fuzzing: what nobody sends, sent to the real processes. `make fuzz` runs it long."""
