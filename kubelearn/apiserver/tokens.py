"""ServiceAccount tokens: JSON Web Tokens (RFC 7519), signed with ES256, or RS256 when the cluster's key is RSA."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

_WIDTH = 32  # bytes of each half of a P-256 signature


class TokenSigner:
    """`key` is a private key as PEM; any other text is a secret that a P-256 key is derived from."""

    def __init__(self, key: str) -> None:
        self._key = _private_key(key)
        self._public = self._key.public_key()
        digest = sha256(
            self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        ).digest()
        algorithm = "ES256" if isinstance(self._key, ec.EllipticCurvePrivateKey) else "RS256"
        self._head = _encode(orjson.dumps({"alg": algorithm, "kid": _encode(digest)}))

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 7517), for whoever checks our tokens."""
        key_id = orjson.loads(_decode(self._head))["kid"]
        numbers = self._public.public_numbers()
        if isinstance(numbers, ec.EllipticCurvePublicNumbers):
            form = {
                "kty": "EC",
                "alg": "ES256",
                "crv": "P-256",
                **{n: _number(getattr(numbers, n), _WIDTH) for n in "xy"},
            }
        else:
            form = {"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        return {"keys": [{"use": "sig", "kid": key_id, **form}]}

    def issue(self, claims: dict[str, Any]) -> str:
        text = f"{self._head}.{_encode(orjson.dumps(claims))}"
        data = text.encode()
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(_WIDTH) + s.to_bytes(_WIDTH)
        else:
            signature = self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encode(signature)}"

    def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of this signer, None for any other text; says nothing about their time."""
        text, _, signature = token.rpartition(".")
        head, _, body = text.partition(".")
        if head != self._head:
            return None
        try:
            self._check(text.encode(), _decode(signature))
            claims = orjson.loads(_decode(body))
        except (InvalidSignature, ValueError):
            return None
        return claims if isinstance(claims, dict) else None

    def _check(self, data: bytes, signature: bytes) -> None:
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            r, s = int.from_bytes(signature[:_WIDTH]), int.from_bytes(signature[_WIDTH:])
            self._public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        else:
            self._public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def _private_key(text: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if "PRIVATE KEY-----" not in text:
        number = int.from_bytes(sha256(text.encode()).digest()) >> 1 | 1  # below the order of P-256, and not 0
        return ec.derive_private_key(number, ec.SECP256R1())
    key = serialization.load_pem_private_key(text.encode(), None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("the key that signs ServiceAccount tokens must be RSA or P-256")


def _number(value: int, width: int = 0) -> str:
    return _encode(value.to_bytes(width or (value.bit_length() + 7) // 8))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
