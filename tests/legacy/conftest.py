"""What tests of old endpoints ask for."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.legacy import tokens


@pytest.fixture
def moved(settings: Settings, store: None) -> Settings:
    """The operator has configured a key of every server that this one replaces."""
    for name, value in tokens.SETTINGS.items():
        setattr(settings, name, value)
    return settings
