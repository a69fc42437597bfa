"""The Matrix gateway takes pushkeys that are old endpoints: else homeservers would drop them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import Phone
from tests.legacy.test_import import OldProsody, run
from tests.legacy.tokens import PUSH, ejabberd, said_ejabberd, said_up, up
from tests.test_matrix import Homeserver, assert_rejected

pytestmark = pytest.mark.usefixtures("moved")
OLD_ADDRESS = "https://localhost:5281/push/"


@pytest.fixture
def homeserver() -> Homeserver:
    return Homeserver()


@pytest.mark.parametrize("address", [PUSH, "https://push.example.org/up/push/"])
def test_it_works(address: str, homeserver: Homeserver, phone: Phone) -> None:
    pushkeys = [address + up(said_up()), address + ejabberd(said_ejabberd())]
    assert_rejected(homeserver.notify(*pushkeys))
    assert [message.legacy for message in phone.messages()] == ["up", "ejabberd"]


def test_a_forged_one_is_rejected(homeserver: Homeserver, phone: Phone) -> None:
    forged = PUSH + up(said_up(), key=b"x" * 32)
    assert_rejected(homeserver.notify(forged), forged)


def test_one_that_says_itself_whose_it_is_may_stand_at_its_old_address(
    homeserver: Homeserver, phone: Phone
) -> None:
    tokens = [up(said_up()), ejabberd(said_ejabberd())]
    assert_rejected(homeserver.notify(*(OLD_ADDRESS + token for token in tokens)))
    assert len(phone.waiting()) == 2
    forged = OLD_ADDRESS + up(said_up(), key=b"x" * 32)
    assert_rejected(homeserver.notify(forged), forged)


@pytest.mark.parametrize("address", [PUSH, OLD_ADDRESS])
def test_characters_may_be_written_with_percents(
    address: str, homeserver: Homeserver, phone: Phone
) -> None:
    token = up(said_up())
    assert_rejected(homeserver.notify(f"{address}{token[:-1]}%{ord(token[-1]):02x}"))
    assert len(phone.waiting()) == 1


def test_an_imported_url_is_ours_wherever_it_stands(
    homeserver: Homeserver, phone: Phone, tmp_path: Path
) -> None:
    prosody = OldProsody(tmp_path / "data")
    token = prosody.issue()
    run(data_path=prosody.data, url=OLD_ADDRESS)
    assert_rejected(homeserver.notify(OLD_ADDRESS + token))
    assert phone.register() == OLD_ADDRESS + token
    assert_rejected(homeserver.notify(OLD_ADDRESS + token))
    assert len(phone.waiting()) == 2
    for elsewhere in (f"https://evil.example/push/{token}", f"{OLD_ADDRESS}{'x' * 36}", token):
        assert_rejected(homeserver.notify(elsewhere), elsewhere)
