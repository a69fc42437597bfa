"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.stores import KINDS

#: What can be measured: by name, and what --help says.
PARTS = {
    "closed": "as fast as it goes over so many connections, and idle (the default)",
    "open": "fixed rates, delays counted from when a push was due",
    "real-life": "phones that answer late, are offline or asleep",
    "processes": "several HTTP processes over one store",
    "growth": "a full store beside an empty one",
}
#: What these options stand for: nothing else need be said, and what is said does not count.
_STANDARD: dict[str, Any] = {
    "parts": list(PARTS),
    "server": ["daphne", "uvicorn"],
    "peer": ["storage", "jwt"],
    "ceiling": True,
    "rounds": 2,
    "seconds": 4.0,
    "life_seconds": 20.0,
    "http_processes": [1, 2],
    "scale": 0.1,
    "growth_levels": 2,
}
_QUICK: dict[str, Any] = {
    "parts": ["closed", "open", "real-life", "growth"],
    "peer": ["storage"],
    "ceiling": True,
    "connections": [1, 64],
    "rounds": 1,
    "seconds": 2.0,
    "rates": [50, 200],
    "population": 300,
    "life_seconds": 8.0,
    "life_rate": 60.0,
    "scale": 0.01,
    "growth_levels": 1,
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options; `parts` are those asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    add = parser.add_argument
    for part, text in PARTS.items():
        add(f"--{part}", action="append_const", const=part, dest="parts", help=text)
    add("--all", action="store_const", const=list(PARTS), dest="parts", help="all of these")
    add("--standard", action="store_true", help="all of these, of everybody: about ten minutes")
    add("--quick", action="store_true", help="short, small and coarse: about two minutes")
    add("--seconds", type=float, default=10.0, help="of each turn (10)")
    add("--rounds", type=int, default=2, help="turns of each contender under each load (2)")
    add("--connections", type=_list_of(int), default=[1, 16, 64], help="closed loop (1,16,64)")
    add("--rates", type=_list_of(int), default=[50, 200, 500], help="open loop (50,200,500)")
    add("--phones", type=int, default=64, help="accounts, each with one session (64)")
    add("--population", type=int, default=1000, help="phones of real life (1000)")
    add("--life-seconds", type=float, default=30.0, help="of posting in real life (30)")
    add("--life-rate", type=float, default=100.0, help="pushes a second in real life (100)")
    add("--scale", type=float, default=1.0, help="of every number of rows in growth (1.0)")
    add("--growth-levels", type=int, default=0, help="only so many of each, from the top (all)")
    add("--http-processes", type=_list_of(int), default=[1, 2, 4], help="processes (1,2,4)")
    add(
        "--server", type=_words("daphne", "uvicorn"), default=["daphne"], help="or uvicorn, or both"
    )
    add("--store", type=_words(*KINDS), default=["sqlite"], help="or postgresql, or both")
    add("--sync", type=_words("FULL", "NORMAL"), default=["FULL"], help="or NORMAL, or both")
    add(
        "--peer",
        type=_words("storage", "jwt"),
        nargs="?",
        const=["storage"],
        default=[],
        help="mod_unified_push too: its backends (storage), or storage,jwt (prosody-modules)",
    )
    add("--ceiling", action="store_true", help="a bare component too, that only pumps IQs")
    add("--folder", type=Path, help="where the stores are made: a real disk, not a RAM disk")
    add("--results", type=Path, metavar="FOLDER", help="write JSON, tables and SVG plots there")
    asked = parser.parse_args(arguments)
    asked.parts = asked.parts or ["closed"]
    if asked.standard or asked.quick:
        vars(asked).update(_QUICK if asked.quick else _STANDARD)
    return asked


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read(text: str) -> list[Any]:
        return [kind(word) for word in text.split(",")]

    return read


def _words(*known: str) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        words = text.split(",")
        if not set(words) <= set(known):
            raise argparse.ArgumentTypeError(" or ".join(known))
        return words

    return read
