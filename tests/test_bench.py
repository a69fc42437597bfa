"""The bench: its figures are reckoned right, and it measures real parts. No figure is judged."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import fill, growth, options, plots, report, svg, wire
from bench.contenders import Edition
from bench.figures import CREATED, Load, Turn, middle, percentile, ratios, reckon
from bench.population import PART as REAL_LIFE
from bench.population import lived
from bench.results import Results
from bench.setting import Wishes, setting
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
    series: dict[str, list[float | None]] = {"a": [0.1, None, 1000.0], "b": [None, None, None]}
    text = svg.lines("t", ["1", "2", "3"], series, "ms", logarithmic=logarithmic, limit=1.2)
    points = [
        (float(each.get("cx", "")), float(each.get("cy", ""))) for each in drawn(text, "circle")
    ]
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


def test_growth_is_the_ratio_to_the_empty_store_of_the_same_round() -> None:
    load = Load(growth.PART, "16 connections", 16, 1.0)
    done = [
        reckon(name, load, posts(1), receipts(1), {"http": cost, "component": 50}, resident)
        for name, cost in (("empty", 50), ("log 10", 150), ("log 10", 350), ("empty", 150))
        for resident in [{"http": 1024, "component": 2048}]
    ]
    starts = {"empty": growth.Start(1, 1, 2), "log 10": growth.Start(2, 2, 4)}
    one = growth.reckon("log", 10, done, starts, growth.Filling(fill.log, 10))
    assert one.cpu_rounds == [2, 2]
    assert (one.cpu, one.post_p50, one.phone_p99) == (2, 1, 1)
    assert (one.start.first_push, one.empty_start.first_push) == (4, 2)
    assert one.resident_mb == {"http": 1, "component": 2}
    assert set(plots.all_of([], [one])) == {"growth.svg"}
    assert "log" in report.text([], [one], [])


# --- real parts ---------------------------------------------------------------------------------

PEERS = ["mod_unified_push storage", "mod_unified_push jwt"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A run of every kind of load, as short as they come."""
    results = Results({"phones": 20})
    phones = {"phones": 20, "delay": 0.02, "managed": True}
    wishes = Wishes([Edition()], ["storage", "jwt"], ceiling=True, **phones)  # type: ignore[arg-type]
    with setting(tmp_path_factory.mktemp("bench"), wishes) as here:
        for one in closed_loop(here, [2], rounds=1, seconds=0.5):
            results.take(one)
        for result in open_loop(here, [10, 1_000_000], 1, 0.5, results.turns):
            results.take(result)
        for contender in here.contenders[:2]:
            results.take(lived(here, contender, phones=20, rate=40, seconds=0.5))
    return results


def of(results: Results, part: str) -> list[Turn]:
    return [turn for turn in results.turns if turn.part == part]


def test_every_push_of_a_short_run_is_accounted_for(results: Results) -> None:
    names = ["daphne FULL", *PEERS]
    assert [turn.contender for turn in of(results, CLOSED)] == [*names, "ceiling"]
    assert [turn.contender for turn in of(results, OPEN)] == names
    for one in [*of(results, CLOSED), *of(results, OPEN)]:
        assert one.posted == one.accepted == one.delivered == one.reached == len(one.post_ms) > 0
        assert (one.lost, one.twice, one.broken, one.unasked) == (0, 0, 0, 0)
    assert {one.posted for one in of(results, OPEN)} == {5}
    assert len(results.skipped) == 3  # nobody does a million a second


def test_in_real_life_ours_reach_every_phone_and_theirs_do_not(results: Results) -> None:
    ours, theirs = of(results, REAL_LIFE)
    assert (ours.posted, ours.accepted, ours.reached, ours.lost) == (20, 20, 20, 0)
    assert (ours.twice, ours.broken) == (0, 0)
    assert theirs.accepted == 20  # it says 201 for the two phones that are offline, too
    assert (theirs.reached, theirs.lost) == (18, 2)


def test_a_run_is_kept_as_tables_json_and_plots(results: Results, tmp_path: Path) -> None:
    written = results.write(tmp_path)
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [row["delivered"] for row in kept["turns"]] == [t.delivered for t in results.turns]
    assert kept["turns"][0]["post_ms"]["p100"] == round(results.turns[0].post_ms[-1], 3)
    assert kept["skipped"] == results.skipped
    assert "mod_unified_push jwt" in (tmp_path / "tables.txt").read_text()
    pictures = [name for name in written if name.endswith(".svg")]
    expected = {"delivered.svg", "open-10-post.svg", "open-10-phone.svg", "real-life-40-post.svg"}
    assert expected <= set(pictures)
    for name in pictures:
        ElementTree.fromstring((tmp_path / name).read_text())
