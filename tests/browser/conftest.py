"""The cast of the browser plays: that of the other plays, and operators with a browser."""

from __future__ import annotations

import pytest

from tests.plays.conftest import (
    account,
    migrated,
    new_phone,
    new_provider,
    phone,
    provider,
    pytest_generate_tests,
    server,
    shared_server,
    shared_servers,
)
from tests.real.provider import Provider

__all__ = [
    "account",
    "migrated",
    "new_phone",
    "new_provider",
    "phone",
    "provider",
    "pytest_generate_tests",
    "server",
    "shared_server",
    "shared_servers",
]

PEOPLE = """
from django.contrib.auth.models import Group, User
User.objects.create_superuser("ops", password="ops")
for name in ("viewer", "operator"):
    user = User.objects.create_user(name, password=name, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
"""
TOWN = "from tests.browser import town; town.build(users=40, messages=300)"


@pytest.fixture
def staffed(provider: Provider) -> Provider:
    """The product, with `ops`, `operator` and `viewer`: each one's name is the password."""
    provider.manage("shell", "-c", PEOPLE)
    return provider


@pytest.fixture
def busy(provider: Provider) -> Provider:
    """The same with a town on it."""
    provider.manage("shell", "-c", PEOPLE + TOWN)
    return provider
