"""Who sends: counted for each endpoint, and bounded."""

from __future__ import annotations

from pushprovider.models import Sender
from pushprovider.store.post import Post
from pushprovider.store.sendernames import MAX_SENDERS
from tests.cast import Phone
from tests.posts import key_of, stored


def test_it_counts_who_pushes(phone: Phone) -> None:
    key = key_of(phone.register())
    for agent in ("Mastodon/4", "Mastodon/4", ""):
        stored(Post(key, b"", 60, user_agent=agent, subject="mailto:admin@example.org"))
    rows = Sender.objects.order_by("-count")
    assert [(row.user_agent, row.count) for row in rows] == [("Mastodon/4", 2), ("", 1)]


def test_a_sender_of_many_names_does_not_fill_the_store(phone: Phone) -> None:
    key = key_of(phone.register())
    for group in range(4):
        stored(*(Post(key, b"", 60, user_agent=f"{group} {n}") for n in range(100)))
    names = set(Sender.objects.values_list("user_agent", flat=True))
    assert len(names) == MAX_SENDERS
    assert all(name.startswith("3 ") for name in names)  # those that were heard of last


def test_an_endpoint_of_many_senders_takes_no_names_from_another(phone: Phone) -> None:
    quiet, busy = key_of(phone.register("quiet")), key_of(phone.register("busy"))
    stored(Post(quiet, b"", 60, user_agent="Mastodon/4"))
    stored(*(Post(busy, b"", 60, user_agent=f"{n}") for n in range(2 * MAX_SENDERS)))
    assert Sender.objects.filter(registration=phone.registration("quiet")).count() == 1
