"""Options, the parts that were asked for, the report."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench import growth, options, turns
from bench.contenders import Edition
from bench.figures import Turn
from bench.growth import Growth
from bench.population import real_life
from bench.results import Results
from bench.scaling import scaling
from bench.setting import Wishes, setting, sync_ms

Result = Turn | Growth | str


def main(arguments: Sequence[str] | None = None) -> Results:
    """Run what was asked for, print it, and return it."""
    asked = options.parse(None if arguments is None else list(arguments))
    _check(asked)
    with tempfile.TemporaryDirectory(prefix="pp-bench-", dir=asked.folder) as name:
        results = Results(_about(Path(name), asked))
        print(", ".join(f"{key}: {value}" for key, value in results.about.items()), flush=True)
        try:
            _run(Path(name), asked, results)
        finally:  # whatever was measured until then
            _show(results, asked.results)
    return results


def _run(folder: Path, asked: argparse.Namespace, results: Results) -> None:
    # These two share a setting: the open loop wants to know what the closed one found.
    if {"closed", "open"} & set(asked.parts):
        _loops(folder / "loops", asked, results)
    for part in asked.parts:
        if part in _PARTS:
            for one in _PARTS[part](folder / part, asked):
                results.take(one)


def _show(results: Results, folder: Path | None) -> None:
    print("\n" + results.text())
    if folder:
        print(f"{folder}: {', '.join(results.write(folder))}")


def _loops(folder: Path, asked: argparse.Namespace, results: Results) -> None:
    wishes = Wishes(_editions(asked), asked.peer, asked.ceiling, phones=asked.phones)
    with setting(folder, wishes) as here:
        turns.warm_up(here)
        if "closed" in asked.parts:
            for one in turns.closed_loop(here, asked.connections, asked.rounds, asked.seconds):
                results.take(one)
            for one in turns.idle(here, asked.rounds):
                results.take(one)
        if "open" in asked.parts:
            before = list(results.turns)
            for result in turns.open_loop(here, asked.rates, asked.rounds, asked.seconds, before):
                results.take(result)


def _real_life(folder: Path, asked: argparse.Namespace) -> Iterable[Result]:
    size = {"phones": asked.population, "rate": asked.life_rate, "seconds": asked.life_seconds}
    return real_life(folder, _editions(asked), asked.peer, **size)


def _processes(folder: Path, asked: argparse.Namespace) -> Iterable[Result]:
    size = {"phones": asked.phones, "rounds": asked.rounds, "seconds": asked.seconds}
    return scaling(folder, _editions(asked), asked.http_processes, **size)


def _growth(folder: Path, asked: argparse.Namespace) -> Iterable[Result]:
    wanted = growth.levels(asked.scale, asked.growth_levels)
    # Ratios want more rounds than rates do, and shorter ones.
    return growth.growth(folder, wanted, rounds=asked.rounds + 1, seconds=asked.seconds / 2)


_PARTS: dict[str, Callable[[Path, argparse.Namespace], Iterable[Result]]] = {
    "real-life": _real_life,
    "processes": _processes,
    "growth": _growth,
}


def _editions(asked: argparse.Namespace) -> list[Edition]:
    """Return how Pushprovider is run. --sync is SQLite's: PostgreSQL syncs in its own way."""
    return [
        Edition(server, sync, store=store)
        for server in asked.server
        for store in asked.store
        for sync in (asked.sync if store == "sqlite" else ["FULL"])
    ]


def _check(asked: argparse.Namespace) -> None:
    if shutil.which("prosody") is None:
        raise SystemExit("Prosody is not installed. Run: sudo apt-get install -y prosody")
    for server in asked.server:
        if importlib.util.find_spec(server) is None:
            raise SystemExit(
                f"{server} is not installed."
                f" Run: {sys.executable} -m pip install -r requirements-bench.txt"
            )


def _about(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Return what the figures depend on. Nothing that identifies the machine."""
    kind = ["stat", "-f", "-c", "%T", str(folder)]
    fast = [name for name in ("uvloop", "httptools") if importlib.util.find_spec(name)]
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "disk": subprocess.run(kind, capture_output=True, text=True, check=True).stdout.strip(),
        "one synced write (ms)": round(sync_ms(folder), 2),
        "uvicorn with": " and ".join(fast) or "neither uvloop nor httptools",
        "phones": asked.phones,
        "seconds": asked.seconds,
        "rounds": asked.rounds,
        "load before": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    main()
