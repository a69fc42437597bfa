"""How things without a name are called wherever people read about them."""

from __future__ import annotations

from hashlib import sha256

#: Characters shown of an application: enough to tell them apart, and a prefix to search by.
SHORT = 8

#: How the names of the doctor's test accounts begin, at the component's own domain.
DOCTOR = "doctor-"


def app_hash(application: str) -> str:
    """Return what stands for an application: it is a salted hash and has no name."""
    return application[:SHORT]


def endpoint_hash(key: bytes) -> str:
    """Return what stands for an endpoint: nobody can push with it, and it never changes."""
    return sha256(bytes(key)).hexdigest()[:10]
