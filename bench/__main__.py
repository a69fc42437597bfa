"""Options, the run, the report."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import report, turns
from bench.figures import Turn
from bench.setting import Setting, Wishes, setting, sync_ms


def main() -> None:
    """Run what was asked for."""
    asked = _options()
    if shutil.which("prosody") is None:
        raise SystemExit("Prosody is not installed. Run: sudo apt-get install -y prosody")
    for server in asked.server:
        if importlib.util.find_spec(server) is None:
            raise SystemExit(
                f"{server} is not installed. Run: {sys.executable} -m pip install {server}"
            )
    wishes = Wishes(asked.server, asked.sync, asked.peer, asked.phones)
    with tempfile.TemporaryDirectory(prefix="pp-bench-", dir=asked.folder) as name:
        folder = Path(name)
        about = _about(folder, asked)
        print(", ".join(f"{key}: {value}" for key, value in about.items()), flush=True)
        with setting(folder, wishes) as here:
            done = _run(here, asked)
    baseline = "mod_unified_push storage" if asked.peer else done[0].contender
    report.print_all(done, baseline)
    if asked.json:
        report.write_json(asked.json, about, done)


def _run(here: Setting, asked: argparse.Namespace) -> list[Turn]:
    done = []
    for one in turns.closed_loop(here, asked.connections, asked.rounds, asked.seconds):
        print(report.one_line(one), flush=True)
        done.append(one)
    for one in turns.idle(here, asked.rounds):
        print(report.one_line(one), flush=True)
        done.append(one)
    return done


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=10.0, help="of each turn (10)")
    add("--connections", type=_list_of(int), default=[1, 16, 64], help="loads (1,16,64)")
    add("--rounds", type=int, default=2, help="turns of each contender under each load (2)")
    add("--phones", type=int, default=64, help="accounts, each with one session (64)")
    add("--server", type=_list_of(_server), default=["daphne"], help="daphne, uvicorn or both")
    add("--sync", type=_list_of(_sync), default=["FULL"], help="FULL, NORMAL or both")
    add("--peer", action="store_true", help="mod_unified_push too (prosody-modules)")
    add("--folder", type=Path, help="where the stores are made: a real disk, not a RAM disk")
    add("--json", type=Path, metavar="FILE", help="write every turn's figures")
    return parser.parse_args()


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read(text: str) -> list[Any]:
        return [kind(word) for word in text.split(",")]

    return read


def _server(word: str) -> str:
    if word not in ("daphne", "uvicorn"):
        raise argparse.ArgumentTypeError("daphne or uvicorn")
    return word


def _sync(word: str) -> str:
    if word not in ("FULL", "NORMAL"):
        raise argparse.ArgumentTypeError("FULL or NORMAL")
    return word


def _about(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Return what the figures depend on. Nothing that identifies the machine."""
    kind = ["stat", "-f", "-c", "%T", str(folder)]
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "disk": subprocess.run(kind, capture_output=True, text=True, check=True).stdout.strip(),
        "one synced write (ms)": round(sync_ms(folder), 2),
        "phones": asked.phones,
        "seconds": asked.seconds,
        "rounds": asked.rounds,
    }


if __name__ == "__main__":
    main()
