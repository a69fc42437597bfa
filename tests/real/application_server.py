"""An application server's end of Web Push encryption (RFC 8291): keys to encrypt for, and back."""

from __future__ import annotations

import base64
import os

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Subscription:
    """What an application on the phone keeps: a P-256 key pair and an authentication secret."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    def info(self) -> dict[str, object]:
        """Return what the application gives its server, as browsers write it in JSON."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "keys": {"p256dh": base64url(point), "auth": base64url(self._auth)},
        }

    def decrypt(self, payload: bytes) -> bytes:
        """Return the text of a pushed payload (aes128gcm)."""
        clear: bytes = http_ece.decrypt(
            payload, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        return clear


class VapidKey:
    """The application server's own key pair (RFC 8292)."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def private(self) -> str:
        """Return the private key as libraries take it."""
        return base64url(self._key.private_numbers().private_value.to_bytes(32, "big"))

    @property
    def public(self) -> str:
        """Return the public key as an endpoint is restricted to it."""
        public = self._key.public_key()
        return base64url(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
