"""The documents say what the code does."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from pushprovider import __version__, rules
from pushprovider.http import answers
from pushprovider.models import MessageState
from upconfig import settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of every row of a page's tables that begin with this heading."""
    rows: list[list[str]] = []
    inside = False
    for line in read(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == heading:
            inside = True
        elif inside and not set(cells[0]) <= set("- "):
            rows.append(cells)
    return rows


def settings_table() -> dict[str, list[str]]:
    rows = table("docs/settings.md", "name")
    return {cells[0].strip("`"): cells for cells in rows}


def calls() -> dict[str, ast.Call]:
    """Return the call that reads each setting, by its name."""
    tree = ast.parse(Path(settings.__file__).read_text(encoding="utf-8"))
    found: dict[str, ast.Call] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "_read"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            found[str(node.args[0].value)] = node
    return found


def arithmetic(node: ast.expr) -> object:
    """Return the value of an expression of literals such as 2**31, None of anything else."""
    try:
        return eval(compile(ast.Expression(node), "settings.py", "eval"), {"__builtins__": {}})
    except NameError:
        return None


def defaults() -> dict[str, str]:
    """Return the default of each setting that has a plain one; "" is an empty default."""
    found: dict[str, str] = {}
    for name, call in calls().items():
        given = call.args[1] if len(call.args) > 1 else None
        for keyword in call.keywords:
            given = keyword.value if keyword.arg == "default" else given
        value = "" if given is None else arithmetic(given)
        if isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, int | str):
            found[name] = str(value)
    return found


REQUIRED = {
    name
    for name, call in calls().items()
    if len(call.args) == 1 and getattr(call.func, "attr", "") in {"text", "public_url"}
}
DEFAULTS = {name: value for name, value in defaults().items() if name not in REQUIRED}


def test_it_documents_every_setting_and_no_other() -> None:
    assert sorted(settings_table()) == sorted(settings.DOCUMENTED)


def test_it_names_the_required_settings() -> None:
    table_says = {name for name, cells in settings_table().items() if cells[1] == "required"}
    assert table_says == REQUIRED


def test_it_finds_the_defaults_in_the_code() -> None:
    assert DEFAULTS["XMPP_COMPONENT_PORT"] == "5347"
    assert DEFAULTS["REQUIRE_TTL"] == "false"


@pytest.mark.parametrize(("name", "value"), sorted(DEFAULTS.items()))
def test_it_states_the_default(name: str, value: str) -> None:
    stated = settings_table()[name][1]
    if value:
        assert stated == f"`{value}`"
    else:
        # Empty in the code; either nothing, or words for what is worked out instead.
        assert not re.fullmatch(r"`[^`]*`", stated)


@pytest.mark.parametrize("name", sorted(n for n, c in calls().items() if len(c.args) == 4))
def test_it_states_the_range(name: str) -> None:
    low, high = (arithmetic(node) for node in calls()[name].args[2:])
    assert settings_table()[name][3].endswith(f"{low} to {high}")


def example() -> dict[str, tuple[bool, str]]:
    """Return each setting of .env.example: whether it is switched on, and its value."""
    lines = re.findall(r"^(# )?([A-Z][A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE)
    assert len(lines) == len({name for _, name, _ in lines})
    return {name: (not off, value) for off, name, value in lines}


def test_the_example_has_every_setting_and_no_other() -> None:
    assert sorted(example()) == sorted(settings.DOCUMENTED)


def test_the_example_switches_on_only_what_is_required() -> None:
    assert {name for name, (on, _) in example().items() if on} == REQUIRED


@pytest.mark.parametrize("name", sorted(n for n, value in DEFAULTS.items() if value))
def test_the_example_shows_the_default(name: str) -> None:
    assert example()[name][1] == DEFAULTS[name]


def test_it_explains_every_state_of_a_message() -> None:
    stated = [(cells[0], cells[1]) for cells in table("docs/architecture.md", "state")]
    assert stated == [
        (str(state.label), "yes" if state.is_terminal else "no") for state in MessageState
    ]


def test_it_draws_every_state_of_a_message() -> None:
    picture = read("docs/architecture.md").partition("## A message's life")[2].split("```")[1]
    assert set(re.findall(r"[a-z]{2,}", picture)) == {str(state.label) for state in MessageState}


WORDS = {
    rules.Flight.KEEP: "",
    rules.Flight.REQUEUE: "again",
    rules.Flight.REQUEUE_OLD: "old again",
    rules.Timer.KEEP: "",
    rules.Timer.STOP: "stop timer",
    rules.Timer.STOP_RETRY: "stop retry",
    rules.Timer.RETRY: "retry timer",
    rules.Timer.LINK_GRACE: "grace timer",
    rules.Timer.REGISTER_GRACE: "grace timer",
    rules.Timer.SESSION_GRACE: "short grace timer",
}


def cell(rule: rules.Rule) -> str:
    words = (rule.then.value, WORDS[rule.flight], WORDS[rule.timer])
    return ", ".join(word for word in words if word)


def test_it_has_the_rules_of_delivery() -> None:
    stated = table("docs/architecture.md", "event")
    assert stated == [
        [event.value, *(cell(rules.TABLE[state, event]) for state in rules.State)]
        for event in rules.Event
    ]


def test_it_states_the_window_of_each_belief() -> None:
    stated = {cells[0]: cells[1] for cells in table("docs/architecture.md", "belief")}
    assert stated == {
        state.value: {16: "MAX_IN_FLIGHT_PER_DEVICE"}.get(
            rules.window(state, 16), str(rules.window(state, 16))
        )
        for state in rules.State
    }


def errors() -> set[tuple[str, str]]:
    """Return (status, errno) of every error that the push paths can answer."""
    samples = {"seconds": 1, "allowed": "GET"}
    found: set[tuple[str, str]] = set()
    for _, function in inspect.getmembers(answers, inspect.isfunction):
        if function.__annotations__.get("return") == "Refused":
            needed = inspect.signature(function).parameters
            refused = function(**{name: samples[name] for name in needed})
            found.add((str(int(refused.status)), str(refused.errno)))
    return found


def test_it_lists_every_error_and_no_other() -> None:
    stated = {(cells[1], cells[2]) for cells in table("docs/http.md", "request") if cells[2]}
    assert stated == errors()


def test_the_changelog_begins_with_this_version() -> None:
    first = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[0]
    assert first == __version__
    assert "Upgrade notes" in read("CHANGELOG.md").split("\n## ")[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    local = [t.partition("#")[0] for t in targets if not t.startswith(("http:", "https:"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_its_map_names_files_that_exist() -> None:
    text = read("docs/architecture.md")
    paths = re.findall(r"`((?:pushprovider|upconfig)/[^`]*)`", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_make_targets_exist(page: Path) -> None:
    named = set(re.findall(r"(?:`|^    )make ([a-z]+)", page.read_text(encoding="utf-8"), re.M))
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert named <= targets
