"""Static mistakes in the settings: each has its id, its level and a remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.checks import ERROR, WARNING
from pytest_django.fixtures import Settings

from pushprovider import systemchecks
from tests.settings import ROOT

MISTAKES: dict[str, dict[str, Any]] = {
    "pushprovider.E001": {"DEBUG": True},
    "pushprovider.E002": {"REGISTRATION_ACL": ["example.org example.net"]},
    "pushprovider.E003": {"XMPP_ADMINS": ["example.org"]},
    "pushprovider.E004": {"XMPP_COMPONENT_SECRET": "CHANGE-ME"},
    "pushprovider.W001": {"PUBLIC_URL": "http://push.example.org"},
    "pushprovider.W002": {"ACK_TIMEOUT": 60},
    "pushprovider.W003": {"DEFAULT_TTL": 100, "MAX_TTL": 60},
    "pushprovider.W004": {"MAX_STORED_PER_ENDPOINT": 10, "MAX_STORED_PER_ACCOUNT": 5},
    "pushprovider.W005": {"METRICS_TOKEN": "abc"},
    "pushprovider.W006": {"ALLOWED_HOSTS": ["example.net"]},
    "pushprovider.W009": {"PUBLIC_URL": "https://push.example.org/base"},
}


def ids() -> set[str]:
    """Return the ids of what our check finds now."""
    return {str(message.id) for message in systemchecks.check()}


@pytest.fixture(autouse=True)
def well_set(settings: Settings, tmp_path: Path) -> None:
    """No .env, and a RUN_DIR of our own."""
    settings.DOTENV = tmp_path / ".env"
    settings.RUN_DIR = tmp_path


def test_it_finds_nothing_wrong_with_good_settings() -> None:
    assert ids() == set()


@pytest.mark.parametrize(("mistake", "changed"), MISTAKES.items(), ids=lambda one: str(one)[-4:])
def test_it_names_the_mistake(mistake: str, changed: dict[str, Any], settings: Settings) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert ids() == {mistake}
    [message] = systemchecks.check()
    assert message.hint
    assert message.level == (ERROR if ".E" in mistake else WARNING)


def test_it_sees_that_others_can_read_the_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(0o644)
    assert ids() == {"pushprovider.W007"}
    (tmp_path / ".env").chmod(0o640)
    assert ids() == set()


def test_it_sees_that_others_can_write_into_run_dir(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert ids() == {"pushprovider.W008"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80"])
def test_plain_http_is_no_mistake_on_this_machine(url: str, settings: Settings) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = url, ["*"]
    assert ids() == set()


def test_an_ipv6_address_is_allowed_in_brackets(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://[2001:db8::1]"
    settings.ALLOWED_HOSTS = ["[2001:db8::1]"]
    assert ids() == set()


def test_a_star_in_the_acl_is_no_mistake(settings: Settings) -> None:
    settings.REGISTRATION_ACL = ["*"]
    assert ids() == set()


def test_django_calls_it(settings: Settings) -> None:
    settings.ACK_TIMEOUT = 60
    assert "pushprovider.W002" in {message.id for message in checks.run_checks()}


def test_the_documents_list_every_id() -> None:
    code = (ROOT / "pushprovider/systemchecks.py").read_text(encoding="utf-8")
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    pattern = r"pushprovider\.[EW]\d{3}"
    assert sorted(set(re.findall(pattern, code))) == sorted(set(re.findall(pattern, page)))
