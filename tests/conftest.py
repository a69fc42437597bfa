"""What every unit test can ask for: the store and the cast."""

from __future__ import annotations

from collections.abc import Iterator
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


def pytest_configure(config: pytest.Config) -> None:
    """Announce the markers that say on which store a test runs (PUSH_TEST_STORE)."""
    for line in (
        "sqlite: only on SQLite",
        "postgresql: only on PostgreSQL",
        "on_both: `make test` runs it on both; every test that touches the database is marked so",
    ):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches the database, and leave out what is not for this store."""
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[STORE]
    left_out = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker(other)]
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & _STORES or item.get_closest_marker("django_db"):
            item.add_marker("on_both")
        if item.get_closest_marker("postgresql"):
            item.add_marker("on_both")


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
