"""What is kept in a folder: the tables, every turn as JSON, plots as SVG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import plots, report
from bench.figures import PERCENTS, Turn, percentile
from bench.growth import Growth


@dataclass
class Results:
    """All that a run has measured."""

    about: dict[str, Any]
    turns: list[Turn] = field(default_factory=list)
    grown: list[Growth] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def take(self, one: Turn | Growth | str) -> None:
        """Keep one result and say so."""
        match one:
            case Turn():
                self.turns.append(one)
                print(report.one_line(one), flush=True)
            case Growth():
                self.grown.append(one)
                print(f"{one.what} {one.rows:,}: CPU {one.cpu:.2f} times empty", flush=True)
            case str():
                self.skipped.append(one)
                print(one, flush=True)

    def text(self) -> str:
        """Return every table."""
        return report.text(self.turns, self.grown, self.skipped)

    def as_json(self) -> str:
        """Return everything as JSON, with percentiles in place of single times."""
        content = {
            "about": self.about,
            "turns": [turn_as_dict(turn) for turn in self.turns],
            "growth": [asdict(one) for one in self.grown],
            "skipped": self.skipped,
        }
        return json.dumps(content, indent=1) + "\n"

    def write(self, folder: Path) -> list[str]:
        """Write bench.json, tables.txt and the plots; return the names of the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {"bench.json": self.as_json(), "tables.txt": self.text()}
        files |= plots.all_of(self.turns, self.grown)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        return sorted(files)


def turn_as_dict(turn: Turn) -> dict[str, Any]:
    """Return a turn with percentiles in place of single times."""
    row = asdict(turn)
    for name in ("post_ms", "phone_ms", "after_ms"):
        row[name] = times_as_dict(getattr(turn, name))
    return row


def times_as_dict(times: Sequence[float]) -> dict[str, float]:
    """Return the percentiles of sorted times, in milliseconds."""
    return {f"p{percent:g}": round(percentile(times, percent), 3) for percent in PERCENTS}
