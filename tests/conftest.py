"""What every unit test can ask for: the store and the cast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.apps import apps
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from pushprovider.http.intake import intake
from tests.cast import ApplicationServer, Phone, Stranger
from tests.real import postgres
from tests.settings import STORE

#: A busy machine is no failure.
hypothesis.settings.register_profile("unit", deadline=None)
hypothesis.settings.load_profile("unit")


#: A test that asks for one of these touches the database.
_STORES = {"store", "db", "transactional_db"}
_OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
#: `make test`: the store that plays meet each server over.
_STORE_OF = {"prosody": "sqlite", "ejabberd": "postgresql"}
_LEFT = pytest.StashKey[dict[str, int]]()


def left_to_the_other(store: str, marks: set[str], servers: tuple[str, ...], server: str) -> str:
    """Return why a run on `store` leaves a test to the run on the other; "" if it does not.

    `make test` runs everything once over both runs, and twice what is worth it:
    - what is marked for one store runs there;
    - a play against both servers meets Prosody over SQLite and ejabberd over PostgreSQL, so that
      it meets each server and each store at the price of two runs, not four. These two pairs are
      the likely ones: the small server, and the big one;
    - what is marked on_both runs on both. Unit tests that touch the database are: they are quick,
      and the SQL is what differs. So are plays of one server about the store itself;
    - all else runs on SQLite, the default.
    """
    if store in marks:
        return ""
    if len(servers) > 1:
        return "" if _STORE_OF[server] == store else f"plays against {server}"
    if store == "sqlite" or "on_both" in marks:
        return ""
    return "tests that one store is enough for"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --share."""
    text = "leave to the run on the other store what need not run on both, as `make test` does"
    parser.addoption("--share", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Announce the markers that say on which store a test runs (PUSH_TEST_STORE)."""
    for line in (
        "sqlite(reason): only on SQLite",
        "postgresql: only on PostgreSQL",
        "on_both: `make test` runs it on both; every test that touches the database is marked so",
    ):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches the database, and leave out what is not for this run."""
    left: list[pytest.Item] = []
    kept: list[pytest.Item] = []
    reasons: Counter[str] = Counter()
    for item in items:
        if _STORES & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"):
            item.add_marker("on_both")
        reason = _reason(item, share=config.getoption("share"))
        reasons[reason] += 1
        (left if reason else kept).append(item)
    del reasons[""]
    config.stash[_LEFT] = dict(reasons)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def _reason(item: pytest.Item, *, share: bool) -> str:
    marks = {mark.name for mark in item.iter_markers()}
    if _OTHER[STORE] in marks:
        return f"tests for {_OTHER[STORE]} alone"
    if not share:
        return ""
    servers = item.get_closest_marker("servers")
    call = getattr(item, "callspec", None)
    server = str(call.params.get("server_name", "")) if call else ""
    return left_to_the_other(STORE, marks, servers.args if servers else (), server)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist's tells what it left out: nobody else counts it."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["left"] = session.config.stash.get(_LEFT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker left out the same."""
    if left := getattr(node, "workeroutput", {}).get("left"):
        node.config.stash[_LEFT] = left


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what is left to the run on the other store."""
    left = config.stash.get(_LEFT, {})
    for reason, number in sorted(left.items()):
        terminalreporter.write_line(f"left to {_OTHER[STORE]}: {reason} ({number})")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The test database, for `store` and pytest-django's fixtures alike.

    pytest-django's own makes it only if a test asks for its fixtures.
    """
    if STORE == "postgresql":
        postgres.shared().start()
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    if intake.cache_info().currsize:
        intake().thread.close()
    if STORE == "sqlite":  # PostgreSQL goes as a whole
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture
def store(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An empty store with real commits, which the database thread and daphne see, too."""
    with django_db_blocker.unblock():
        yield
        for model in apps.get_app_config("pushprovider").get_models():
            model._default_manager.all().delete()


@pytest.fixture
def phone(store: None) -> Phone:
    """A phone of juliet's."""
    return Phone("juliet@localhost/phone")


@pytest.fixture
def path(phone: Phone) -> str:
    """The path of the phone's endpoint."""
    return urlsplit(phone.register()).path


@pytest.fixture
def server() -> ApplicationServer:
    """An application server, with a key of its own."""
    return ApplicationServer()


@pytest.fixture
def stranger() -> Stranger:
    """Somebody who was given nothing."""
    return Stranger()
