"""Plays: one short story per file, with a real server, real processes and a real phone."""
