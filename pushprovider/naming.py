"""How things without a name are called wherever people read about them."""

from __future__ import annotations

from hashlib import sha256

#: Characters shown of an application: enough to tell them apart, and a prefix to search by.
SHORT = 8
#: Characters shown of a message id: the time in microseconds, and a little of what is random.
UID = 16
#: Characters shown of an endpoint's hash.
HASHED = 10

#: How the names of the doctor's test accounts begin, at the component's own domain.
DOCTOR = "doctor-"


def app_hash(application: str) -> str:
    """Return what stands for an application: it is a salted hash and has no name."""
    return application[:SHORT]


def message_name(uid: str) -> str:
    """Return what stands for a message: its id begins so, which a search can find."""
    return uid[:UID]


def endpoint_hash(key: bytes) -> str:
    """Return what stands for an endpoint: nobody can push with it, and it never changes."""
    return sha256(bytes(key)).hexdigest()[:HASHED]
