"""What tests of old endpoints ask for."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from pushprovider.legacy.imported import imported
from tests.legacy import tokens


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Of what the store said to the test before."""
    imported.tell(empty=False)


@pytest.fixture
def moved(settings: Settings, store: None) -> Settings:
    """The operator has configured a key of every server that this one replaces."""
    for name, value in tokens.SETTINGS.items():
        setattr(settings, name, value)
    return settings
