"""What is stored, and nothing that acts. The words are those of docs/glossary.md."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import StrIndex, Substr

from pushprovider.fields import InstantField
from pushprovider.legacy.kinds import Kind


class MessageState(models.IntegerChoices):
    """The life of a message. Everything but QUEUED and SENT is terminal."""

    QUEUED = 0, "queued"  # kept, waiting for its device
    SENT = 1, "sent"  # handed to the XMPP server, no answer yet
    DELIVERED = 2, "delivered"  # the device answered with a result
    EXPIRED = 3, "expired"  # its TTL ended first
    REPLACED = 4, "replaced"  # a newer message of the same topic took its place
    CANCELLED = 5, "cancelled"  # the application server deleted it
    EVICTED = 6, "evicted"  # the endpoint's or account's quota was full
    GONE = 7, "gone"  # its registration was revoked

    @property
    def is_terminal(self) -> bool:
        return self > MessageState.SENT


#: For queries and partial indexes: the states of a message that may still be delivered.
WAITING = (MessageState.QUEUED, MessageState.SENT)


class Urgency(models.IntegerChoices):
    """RFC 8030 section 5.3."""

    VERY_LOW = 0, "very-low"
    LOW = 1, "low"
    NORMAL = 2, "normal"
    HIGH = 3, "high"


class Account(models.Model):
    """An XMPP user: a bare JID."""

    jid = models.CharField("JID", max_length=2047, unique=True)
    created_at = InstantField()
    last_seen_at = InstantField(null=True)
    blocked_at = InstantField(null=True, blank=True)
    blocked_reason = models.CharField(max_length=200, blank=True, default="")
    #: What follows the "@"; all of a JID without one. Computed by the database.
    domain = models.GeneratedField(
        expression=Substr("jid", StrIndex(F("jid"), Value("@")) + 1),
        output_field=models.CharField(max_length=1023),
        db_persist=True,
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["jid"]
        verbose_name = "user"
        indexes: ClassVar[list[models.Index]] = [
            # Used by the admin's list of users, by domain, newest first.
            models.Index(fields=["domain", "id"], name="account_domain"),
            # Used by the admin's list of blocked users.
            models.Index(
                fields=["blocked_at"],
                condition=Q(blocked_at__isnull=False),
                name="account_blocked",
            ),
        ]

    def __str__(self) -> str:
        return self.jid

    @property
    def is_blocked(self) -> bool:
        return self.blocked_at is not None


class RevocationReason(models.TextChoices):
    """Who ended a registration before it expired."""

    DEVICE = "device", "the device no longer knows it"
    OWNER = "owner", "the account's owner"
    OPERATOR = "operator", "an operator"


#: What the admin calls each kind.
LEGACY_KINDS = [
    (Kind.UP.value, "up"),
    (Kind.PROSODY_PASETO.value, "Prosody (paseto)"),
    (Kind.PROSODY_JWT.value, "Prosody (jwt)"),
    (Kind.PROSODY_STORAGE.value, "Prosody (storage)"),
    (Kind.EJABBERD.value, "ejabberd"),
]


class Registration(models.Model):
    """(device, application, instance): what an endpoint pushes to."""

    #: 16 random bytes: the part of the endpoint's token that names this row.
    key = models.BinaryField(max_length=16, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="registrations")
    resource = models.CharField(max_length=1023)
    application = models.CharField(max_length=44)
    instance = models.CharField(max_length=44)
    #: base64url of an uncompressed P-256 point; empty: anyone may push (RFC 8292 section 4).
    vapid = models.CharField("VAPID key", max_length=87, blank=True, default="")
    #: Who issued the URL that the device knows; empty: we did. A device that registers with us is
    #: given a URL of ours, unless its own was imported.
    legacy = models.CharField(
        max_length=16, choices=LEGACY_KINDS, blank=True, default="", db_default=""
    )
    created_at = InstantField()
    renewed_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True, blank=True)
    revoked_reason = models.CharField(
        max_length=16, choices=RevocationReason.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = "endpoint"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # Used by register: one live registration per identity keeps the URL stable.
            models.UniqueConstraint(
                fields=["account", "application", "instance"],
                condition=Q(revoked_at__isnull=True),
                name="registration_identity",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Used by housekeeping: what has expired.
            models.Index(fields=["expires_at"], name="registration_expires"),
            # Used by the admin's search: application, exact or prefix.
            models.Index(fields=["application", "id"], name="registration_application"),
            # Used by the admin's list of revoked endpoints.
            models.Index(
                fields=["revoked_at"],
                condition=Q(revoked_at__isnull=False),
                name="registration_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application[:8]} of {self.account.jid}"

    @property
    def device(self) -> str:
        """The full JID."""
        return f"{self.account.jid}/{self.resource}"

    def state_at(self, moment: dt.datetime) -> str:
        """Return active, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if moment < self.expires_at else "expired"


class ImportedEndpoint(models.Model):
    """A URL that Prosody issued, its row taken over from Prosody's store."""

    #: 16 bytes of the token's hash: legacy/prosody_storage.py.
    key = models.BinaryField(max_length=16, unique=True)
    registration = models.ForeignKey(
        Registration, on_delete=models.CASCADE, related_name="imported"
    )
    #: The token, encrypted under SECRET_KEY.
    sealed = models.BinaryField(max_length=255)
    #: What stands before the token in the URL.
    address = models.CharField(max_length=1000)
    host = models.CharField(max_length=1023)  # Prosody's
    #: The device is given this URL again when it registers. Of several, the newest.
    is_kept = models.BooleanField(default=False)
    imported_at = InstantField()
    expires_at = InstantField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Used by housekeeping: what has expired.
            models.Index(fields=["expires_at"], name="imported_expires"),
        ]

    def __str__(self) -> str:
        return f"imported from {self.host}"


class Tombstone(models.Model):
    """An identity, or a whole account, whose old endpoints have ended, whatever their tokens say.

    A token that names no row cannot be deleted. Its key is a MAC under SECRET_KEY, so that what
    was erased is not kept here.
    """

    key = models.BinaryField(max_length=16, unique=True)
    created_at = InstantField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Used by housekeeping.
            models.Index(fields=["created_at"], name="tombstone_created"),
        ]

    def __str__(self) -> str:
        return "revoked"


class Message(models.Model):
    """One accepted POST. Its `uid` is the message resource, the IQ id and the log id.

    The integer key gives the order of arrival; `uid` begins with the time, so that its index
    grows at one end. A terminal row has no payload: it only says what became of the message.
    """

    uid = models.CharField("id", max_length=40, unique=True)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_index=False)
    #: The account of the registration, so messages go with that. No constraint: without an index
    #: that begins with the account, its check would read all messages for each account deleted.
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False
    )
    state = models.SmallIntegerField(choices=MessageState.choices, default=MessageState.QUEUED)
    urgency = models.SmallIntegerField(choices=Urgency.choices, default=Urgency.NORMAL)
    topic = models.CharField(max_length=32, blank=True, default="")
    ttl = models.BigIntegerField("TTL", default=0)  # seconds, as granted
    size = models.IntegerField(default=0)  # bytes, as posted
    payload = models.BinaryField(default=b"")
    accepted_at = InstantField()
    expires_at = InstantField()
    sent_at = InstantField(null=True)
    sent_to = models.CharField(max_length=3071, blank=True, default="")
    attempts = models.IntegerField(default=0)
    settled_at = InstantField(null=True)
    #: The last stanza error's condition (RFC 6120 section 8.3.3), if there was one.
    condition = models.CharField(max_length=64, blank=True, default="")
    #: Who issued the endpoint that it was posted to; empty: we did.
    legacy = models.CharField(
        max_length=16, choices=LEGACY_KINDS, blank=True, default="", db_default=""
    )

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Used by the delivery loop (what waits for a device, in the order of sending), quotas,
            # eviction and topics. With the state in it, SQLite counts without reading the rows.
            models.Index(
                fields=["account", "registration", "-urgency", "id", "state"],
                condition=Q(state__lte=1),
                name="message_waiting",
            ),
            # Used by expiry.
            models.Index(fields=["expires_at"], condition=Q(state__lte=1), name="message_expiring"),
            # Used by the purge of the message log.
            models.Index(fields=["settled_at"], condition=Q(state__gt=1), name="message_settled"),
            # Used by the admin: the latest failures, and the list of messages by state. Costs the
            # hot path nothing: a message that is delivered is never in it.
            models.Index(fields=["state", "id"], condition=Q(state__gt=2), name="message_failed"),
            # Used by the deletion of registrations and by an endpoint's page in the admin.
            models.Index(fields=["registration", "id"], name="message_registration"),
        ]

    def __str__(self) -> str:
        return self.uid


class Sender(models.Model):
    """Who pushes to an endpoint: by User-Agent and vapid subject, never by address."""

    registration = models.ForeignKey(
        Registration, on_delete=models.CASCADE, related_name="senders", db_index=False
    )
    user_agent = models.CharField(max_length=120, blank=True, default="")
    subject = models.CharField("vapid subject", max_length=120, blank=True, default="")
    count = models.BigIntegerField(default=0)
    last_at = InstantField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # Used by every save: count one more.
            models.UniqueConstraint(
                fields=["registration", "user_agent", "subject"], name="sender_key"
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.user_agent or "unknown"


class Status(models.Model):
    """What one process lets the others know, such as: the XMPP stream is up. One row a name."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200, blank=True, default="")
    at = InstantField()  # when it was last true

    class Meta:
        verbose_name_plural = "status"

    def __str__(self) -> str:
        return self.name


class HourlyCount(models.Model):
    """How often something happened in one hour. stats.py names and explains every counter."""

    hour = InstantField()
    name = models.CharField(max_length=40)
    label = models.CharField(max_length=40, blank=True, default="")
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["hour", "name", "label"], name="hourly_count_key"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.label}"
