"""A small town on a server: users, endpoints, senders, a month of counters, a log of messages."""

from __future__ import annotations

import math
import random
from base64 import b64encode
from hashlib import sha256

from django.db import transaction

from pushprovider import stats, tokens
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import (
    Account,
    HourlyCount,
    Message,
    MessageState,
    Registration,
    RevocationReason,
    Sender,
    Status,
    Urgency,
)
from pushprovider.stats import HOUR_MS, Count
from pushprovider.store.post import new_uid

APPS = ("chat", "mastodon", "matrix", "feeds", "calendar")
AGENTS = (
    "http.rb/5.1.1 (Mastodon/4.3.2; +https://social.example.org/)",
    "Sygnal/0.15.1",
    "Nextcloud Push/30",
    "python-requests/2.32",
)
NAMES = ("anna", "bela", "csaba", "dora", "emil", "fanni", "gabor", "hanna", "imre", "juliet")
DOMAINS = ("xmpp.example.org", "chat.example.net", "localhost")


FATES = (
    (MessageState.DELIVERED, 90),
    (MessageState.EXPIRED, 4),
    (MessageState.REPLACED, 3),
    (MessageState.GONE, 1),
    (MessageState.EVICTED, 1),
)


@transaction.atomic
def build(users: int = 60, messages: int = 800, days: int = 31, seed: int = 7) -> None:
    """Fill the store. The same seed makes the same town, seen from now."""
    dice = random.Random(seed)
    now = now_ms()
    endpoints = [one for number in range(users) for one in _user(number, dice, now)]
    _message_log(endpoints, messages, dice, now)
    _counters(dice, now, days)
    Status.objects.update_or_create(name="xmpp", defaults={"value": "up", "at": to_datetime(now)})


def _hashed(name: str) -> str:
    return b64encode(sha256(name.encode()).digest()).decode()


def _user(number: int, dice: random.Random, now: int) -> list[Registration]:
    name = NAMES[number % len(NAMES)] + (str(number) if number >= len(NAMES) else "")
    since = now - dice.randrange(1, 200) * 24 * HOUR_MS
    account = Account.objects.create(
        jid=f"{name}@{DOMAINS[number % len(DOMAINS)]}",
        created_at=to_datetime(since),
        last_seen_at=to_datetime(now - int(dice.expovariate(1 / (20 * HOUR_MS)))),
    )
    if number % 23 == 5:
        account.blocked_at, account.blocked_reason = to_datetime(now - 5 * HOUR_MS), "spam"
        account.save()
    made = []
    for app in dice.sample(APPS, dice.randint(1, 4)):
        age = dice.randrange(28) * 24 * HOUR_MS
        row = Registration.objects.create(
            key=tokens.new_key(),
            account=account,
            resource=f"Conversations.{dice.randrange(16**4):04x}",
            application=_hashed(app),
            instance=_hashed(f"{name} {app}"),
            vapid="B" * 87 if dice.random() < 0.2 else "",
            created_at=to_datetime(now - age),
            renewed_at=to_datetime(now - age),
            expires_at=to_datetime(now - age + 30 * 24 * HOUR_MS),
        )
        if dice.random() < 0.08:
            row.revoked_at, row.revoked_reason = to_datetime(now - HOUR_MS), RevocationReason.DEVICE
            row.save()
        if dice.random() < 0.9:
            Sender.objects.create(
                registration=row,
                user_agent=dice.choice(AGENTS),
                subject="mailto:push@social.example.org" if row.vapid else "",
                count=dice.randrange(1, 900),
                last_at=to_datetime(now - int(dice.expovariate(1 / (30 * HOUR_MS)))),
            )
        made.append(row)
    return made


def _message_log(endpoints: list[Registration], number: int, dice: random.Random, now: int) -> None:
    rows = []
    for index in range(number):
        registration = dice.choice(endpoints)
        accepted = now - (number - index) * 48 * HOUR_MS // number - dice.randrange(20_000)
        state = dice.choices([fate for fate, _ in FATES], [often for _, often in FATES])[0]
        if index > number * 0.9 and dice.random() < 0.2:
            state = dice.choice([MessageState.QUEUED, MessageState.SENT])
        delay = int(dice.lognormvariate(4.3, 0.9)) if state == 2 else 3_600_000
        failed = state not in (MessageState.DELIVERED, MessageState.QUEUED)
        rows.append(
            Message(
                uid=f"{accepted * 1000:014x}{new_uid()[14:]}",
                registration=registration,
                account=registration.account,
                state=state,
                urgency=dice.choice(list(Urgency)),
                topic="digest" if state == MessageState.REPLACED else "",
                ttl=86_400,
                size=dice.randrange(120, 3900),
                payload=b"x" if state <= MessageState.SENT else b"",
                accepted_at=to_datetime(accepted),
                expires_at=to_datetime(accepted + 24 * HOUR_MS * 3),
                sent_at=to_datetime(accepted + 3),
                sent_to=registration.device,
                attempts=1 if not failed else dice.randint(1, 4),
                settled_at=to_datetime(min(accepted + delay, now)) if state > 1 else None,
                condition="remote-server-timeout" if failed and dice.random() < 0.8 else "",
            )
        )
    Message.objects.bulk_create(rows)


def _counters(dice: random.Random, now: int, days: int) -> None:
    rows = []
    this = now - now % HOUR_MS
    for ago in range(days * 24):
        hour = to_datetime(this - ago * HOUR_MS)
        wave = 1.1 + math.sin((this // HOUR_MS - ago - 9) / 24 * 2 * math.pi)
        delivered = int(wave * 210 * (0.85 + dice.random() * 0.3)) + 5
        counts = {
            (Count.SETTLED, "delivered"): delivered,
            (Count.SETTLED, "expired"): dice.randrange(4),
            (Count.SETTLED, "gone"): 1 if dice.random() < 0.3 else 0,
            (Count.SETTLED, "evicted"): 14 if ago == 20 else 0,
            (Count.SETTLED, "replaced"): dice.randrange(6),
            (Count.ACCEPTED, "normal"): delivered,
            (Count.ACCEPTED, "high"): delivered // 5,
            (Count.REJECTED, "rate-limited"): dice.randrange(6),
            (Count.REJECTED, "unknown"): dice.randrange(4),
            (Count.REGISTERED, ""): 1 if dice.random() < 0.3 else 0,
            (Count.RENEWED, ""): dice.randrange(5),
            (Count.REVOKED, "device"): 1 if dice.random() < 0.1 else 0,
        }
        left = delivered
        for bound, share in ((25, 0.1), (50, 0.3), (100, 0.4), (250, 0.15), (500, 0.04)):
            part = int(delivered * share)
            counts[Count.DELAY, stats.bucket(bound)] = part
            left -= part
        counts[Count.DELAY, stats.bucket(2000)] = left
        rows += [
            HourlyCount(hour=hour, name=str(name), label=label, count=count)
            for (name, label), count in counts.items()
            if count
        ]
    HourlyCount.objects.bulk_create(rows)
