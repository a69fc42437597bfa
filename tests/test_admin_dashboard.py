"""The dashboard's figures: they say what is so, and lead to what they count."""

from __future__ import annotations

from inspect import unwrap

import pytest

from pushprovider import stats
from pushprovider.admin import dashboard, figures
from pushprovider.admin import store as tables
from pushprovider.admin.figures import Figures
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Message, MessageState
from pushprovider.stats import HOUR_MS, Count, Counts
from pushprovider.store.post import Post, new_uid
from tests.cast import Phone
from tests.posts import key_of, stored

SUBJECT = "mailto:push@social.example.org"


@pytest.fixture(autouse=True)
def _ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test was told may not be remembered."""
    monkeypatch.setattr(tables, "_conditions", unwrap(tables._conditions))


def fail(phone: Phone, *conditions: str, hours_ago: int = 0) -> None:
    """Let messages fail, each with its stanza error or "", and count them."""
    then = now_ms() - hours_ago * HOUR_MS
    for condition in conditions:
        Message.objects.create(
            uid=f"{then * 1000 + Message.objects.count():014x}{new_uid()[14:]}",
            registration=phone.registration(),
            account=phone.registration().account,
            state=MessageState.GONE,
            condition=condition,
            accepted_at=to_datetime(then),
            expires_at=to_datetime(then),
            settled_at=to_datetime(then),
        )
    stats.write(Counts({(Count.SETTLED, "gone"): len(conditions)}), then)


def failed() -> dashboard.Tile:
    """Return the tile of what failed."""
    tiles = dashboard.tiles(Figures(figures.DAY))
    return next(tile for tile in tiles if tile.label == "Failed + expired")


def test_an_endpoint_is_counted_once_for_each_sender(phone: Phone) -> None:
    chat, news = key_of(phone.register("chat")), key_of(phone.register("news"))
    for agent in ("http.rb/5.1", "http.rb/5.2", "http.rb/5.3"):
        stored(Post(chat, b"", 60, user_agent=agent, subject=SUBJECT))
    stored(Post(news, b"", 60, user_agent="http.rb/5.1", subject=SUBJECT))
    stored(Post(news, b"", 60, user_agent="curl/8"), Post(news, b"", 60))
    found = [(one.name, one.endpoints, one.pushes) for one in unwrap(tables.senders)()]
    assert found[0] == (SUBJECT, 2, 4)
    assert sorted(found[1:]) == [("curl/8", 1, 1), ("unknown", 1, 1)]


def test_mostly_is_more_than_half_of_all(phone: Phone) -> None:
    phone.register()
    fail(phone, "remote-server-timeout", "remote-server-timeout", "", "item-not-found")
    assert failed().note == "24 h: 4 failed, 0 expired"
    fail(phone, "remote-server-timeout")
    assert failed().note == "24 h: 5 failed, 0 expired; mostly remote-server-timeout"


def test_what_failed_before_the_past_day_says_nothing_of_it(phone: Phone) -> None:
    phone.register()
    fail(phone, *["remote-server-timeout"] * 5, hours_ago=30)
    fail(phone, "item-not-found")
    assert failed().note == "24 h: 1 failed, 0 expired; mostly item-not-found"


def test_no_more_than_so_many_failures_are_looked_at(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "CONDITIONS", 2)
    phone.register()
    fail(phone, *["item-not-found"] * 5)
    assert failed().note == "24 h: 5 failed, 0 expired"  # of three of five nobody knows


def test_the_tile_leads_to_the_failures_of_the_past_day(store: None) -> None:
    assert failed().url == "/admin/pushprovider/message/?state=failed&accepted=day"
