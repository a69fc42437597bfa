"""The bench: its figures are reckoned right, and it measures real parts. No figure is judged."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import growth, options, plots, report, svg, wire
from bench.contenders import Edition
from bench.figures import CREATED, Load, Turn, middle, percentile, ratios, reckon
from bench.population import PART as REAL_LIFE
from bench.population import real_life
from bench.results import Results
from bench.setting import Wishes, setting
from bench.turn import turn
from bench.turns import CLOSED, OPEN, closed, closed_loop, open_loop

MS = 1_000_000
LOAD = closed(4, 1.0)


def reckoned(posts: list[wire.Record], receipts: list[wire.Record], name: str = "one") -> Turn:
    return reckon(name, LOAD, posts, receipts, {"http": 300, "prosody": 90}, {"http": 2048})


def posts(*numbers: int, status: int = CREATED) -> list[wire.Record]:
    """Return pushes sent a millisecond apart, each answered after 2 ms."""
    return [(number, number * MS, (number + 2) * MS, status) for number in numbers]


def receipts(*numbers: int, intact: int = 1) -> list[wire.Record]:
    """Return what phones got, 5 ms after it was sent."""
    return [(number, number * MS, (number + 5) * MS, intact) for number in numbers]


# --- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (95, 95), (99, 99), (99.9, 100), (100, 100), (0, 1)]
)
def test_a_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([float(number) for number in range(1, 101)], percent) == expected


def test_a_percentile_of_few_is_one_of_them() -> None:
    assert percentile([], 50) == 0
    assert percentile([7.0], 99) == 7
    assert percentile([1.0, 2.0], 50) == 1
    assert percentile([float(number) for number in range(1, 1001)], 99.9) == 999


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratios([2.0, 9.0, 5.0], [1.0, 3.0, 0.0]) == [2.0, 3.0]
    assert middle([3.0, 1.0, 2.0]) == 2
    assert middle([1.0, 2.0]) == 1.5


def test_a_turn_in_which_all_went_well() -> None:
    one = reckoned(posts(1, 2, 3), receipts(1, 2, 3))
    assert (one.posted, one.accepted, one.delivered, one.reached) == (3, 3, 3, 3)
    assert (one.lost, one.twice, one.broken, one.unasked, one.refused) == (0, 0, 0, 0, {})
    assert list(one.post_ms) == [2, 2, 2]
    assert list(one.phone_ms) == [5, 5, 5]
    assert list(one.after_ms) == [3, 3, 3]
    assert one.delivered_rate == pytest.approx(3 / 0.007)
    assert one.accepted_rate == pytest.approx(3 / 0.004)
    assert one.cpu_us == {"http": 100, "prosody": 30}
    assert one.own_cpu_us == 100


def test_a_turn_finds_what_was_lost_or_came_twice_or_broken() -> None:
    one = reckoned(posts(1, 2, 3), [*receipts(1, 1), *receipts(3, intact=0)])
    assert (one.lost, one.twice, one.broken, one.delivered) == (1, 1, 1, 2)


def test_a_turn_tells_refused_from_lost() -> None:
    refused = [*posts(2, status=503), *posts(3, status=0)]
    one = reckoned([*posts(1), *refused], receipts(1, 3))
    assert (one.lost, one.refused, one.unasked) == (0, {503: 1, 0: 1}, 1)
    assert (one.posted, one.reached) == (3, 2)


def test_a_push_carries_its_number_and_a_changed_byte_shows() -> None:
    payload = base64.b64encode(wire.body(7, 9))
    assert wire.read_payload(payload) == (7, 9, True)
    assert wire.read_payload(payload[:-4] + b"AAAA") == (7, 9, False)
    assert len(wire.body(7, 9)) == wire.BODY_BYTES


# --- what is made of them -----------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str, tag: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text).findall(f"{SVG}{tag}")


def test_bars_are_as_high_as_their_values() -> None:
    text = svg.bars("<a & b>", ["one", "two"], {"x": [10, 20], "y": [None, 5]}, "1/s")
    assert ElementTree.fromstring(text).findtext(f"{SVG}title") == "<a & b>"
    _background, _key_x, _key_y, *bars = drawn(text, "rect")
    heights = [float(bar.get("height", "")) for bar in bars]
    assert heights == pytest.approx([heights[1] / 2, heights[1], heights[1] / 4], abs=0.2)


@pytest.mark.parametrize("logarithmic", [True, False])
def test_lines_leave_gaps_and_stay_in_the_picture(logarithmic: bool) -> None:
    series = {"a": [0.1, None, 1000.0], "b": [None, None, None]}
    text = svg.lines("t", ["1", "2", "3"], series, "ms", logarithmic=logarithmic, limit=1.2)
    points = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in drawn(text, "circle")]
    assert len(points) == 2
    assert points[0][1] > points[1][1] > 0


def test_nothing_measured_is_a_picture_too() -> None:
    for text in (svg.bars("t", [], {}, ""), svg.lines("t", ["1"], {"a": [0.0]}, "")):
        ElementTree.fromstring(text)


def test_tables_compare_round_by_round() -> None:
    ours, theirs = reckoned(posts(1, 2), receipts(1, 2), "ours"), reckoned(posts(1), receipts(1))
    assert report.rate_ratios([ours, theirs, ours], ours.load, "ours", "one") == [
        pytest.approx(ours.delivered_rate / theirs.delivered_rate)
    ]
    assert "ours" in report.text([ours, theirs], [], ["one: 500/s skipped"])


def test_growth_goes_as_far_as_it_is_asked_to() -> None:
    assert ("message log", 10_000_000) in growth.levels()
    assert growth.levels(0.01, most=1) == [
        ("registrations", 10_000),
        ("waiting messages", 10_000),
        ("message log", 100_000),
    ]


def test_peer_alone_is_the_storage_backend() -> None:
    assert options.parse(["--peer"]).peer == ["storage"]
    assert options.parse(["--peer", "storage,jwt"]).peer == ["storage", "jwt"]
    assert options.parse([]).parts == ["closed"]
    assert options.parse(["--growth", "--open"]).parts == ["growth", "open"]
    with pytest.raises(SystemExit):
        options.parse(["--peer", "redis"])


# --- real parts ---------------------------------------------------------------------------------


def test_a_short_run_adds_up(tmp_path: Path) -> None:
    results = Results({})
    wishes = Wishes([Edition()], ["storage", "jwt"], ceiling=True, phones=4)
    with setting(tmp_path / "setting", wishes) as here:
        for one in closed_loop(here, [2], rounds=1, seconds=1.0):
            results.take(one)
        for result in open_loop(here, [20, 1_000_000], 1, 0.5, results.turns):
            results.take(result)
    names = ["daphne FULL", "mod_unified_push storage", "mod_unified_push jwt"]
    assert [turn.contender for turn in results.turns] == [*names, "ceiling", *names]
    assert len(results.skipped) == 3
    for one in results.turns:
        assert one.posted == one.accepted == one.delivered == one.reached == len(one.post_ms) > 0
        assert (one.lost, one.twice, one.broken, one.unasked) == (0, 0, 0, 0)
        assert one.posted == 10 or one.part != OPEN
    written = results.write(tmp_path / "results")
    kept = json.loads((tmp_path / "results" / "bench.json").read_text())
    assert [row["delivered"] for row in kept["turns"]] == [t.delivered for t in results.turns]
    assert kept["turns"][0]["post_ms"]["p100"] == round(results.turns[0].post_ms[-1], 3)
    pictures = [name for name in written if name.endswith(".svg")]
    assert {"delivered.svg", "open-20-post.svg", "open-20-phone.svg"} <= set(pictures)
    for name in pictures:
        ElementTree.fromstring((tmp_path / "results" / name).read_text())


def test_in_real_life_ours_reach_every_phone_and_theirs_do_not(tmp_path: Path) -> None:
    size = {"phones": 20, "rate": 20.0, "seconds": 1.0}
    ours, theirs = real_life(tmp_path / "setting", [Edition()], ["storage"], **size)  # type: ignore[arg-type]
    assert ours.posted == theirs.posted == 20
    assert ours.reached == ours.accepted == 20
    assert (ours.lost, ours.twice, ours.broken) == (0, 0, 0)
    assert theirs.accepted == 20  # it says 201 for the two phones that are offline, too
    assert theirs.reached == 18
    assert REAL_LIFE in report.text([ours, theirs], [], [])


def test_a_full_store_is_measured_beside_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "setting"
    *turns, grown = growth.growth(folder, [("waiting messages", 50)], rounds=1, seconds=0.5)
    assert isinstance(grown, growth.Growth)
    assert (grown.what, grown.rows, grown.lost) == ("waiting messages", 50, 0)
    names = [turn.contender for turn in turns if isinstance(turn, Turn)]
    assert names == ["empty", "waiting messages 50"]
    assert grown.start.first_push > 0
    assert grown.cpu > 0
    assert set(plots.all_of([], [grown])) == {"growth.svg"}
