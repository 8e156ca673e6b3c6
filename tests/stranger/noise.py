"""Noise IK and IKpsk2 with 25519, ChaChaPoly and BLAKE2s (the Noise specification, revision 34).

docs/protocol.md, section 3 "Noise". One object is one side of one handshake; it is used up by its second message.
"""

import copy
import hashlib
import hmac

import aead
from curve25519 import public_key, shared_secret


class Handshake:
    """The symmetric state and the keys of one side."""

    def __init__(self, prologue, static, peer_public=None, *, with_psk, ephemeral):
        name = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s" if with_psk else b"Noise_IK_25519_ChaChaPoly_BLAKE2s"
        self.h = hashlib.blake2s(name).digest()  # both names have more than 32 bytes
        self.ck, self.k, self.n = self.h, None, 0
        self.static, self.ephemeral, self.with_psk = static, ephemeral, with_psk
        self.peer_static, self.peer_ephemeral = peer_public, None
        self._mix_hash(prologue)
        self._mix_hash(peer_public or public_key(static))  # the responder's key is known before

    def write_1(self, payload):
        """-> e, es, s, ss"""
        message = self._write_e()
        self._mix_key(shared_secret(self.ephemeral, self.peer_static))
        message += self._seal(public_key(self.static))
        self._mix_key(shared_secret(self.static, self.peer_static))
        return message + self._seal(payload)

    def read_1(self, message):
        """The payload; `peer_static` is known then, and nothing yet says that its owner sent this."""
        self._read_e(message[:32])
        self._mix_key(shared_secret(self.static, self.peer_ephemeral))
        self.peer_static = self._open(message[32:80])
        self._mix_key(shared_secret(self.static, self.peer_static))
        return self._open(message[80:])

    def write_2(self, payload, psk=None):
        """<- e, ee, se, and psk in the variant"""
        message = self._write_e()
        self._mix_key(shared_secret(self.ephemeral, self.peer_ephemeral))
        self._mix_key(shared_secret(self.ephemeral, self.peer_static))
        self._mix_psk(psk)
        return message + self._seal(payload)

    def read_2(self, message, psk=None):
        """(payload, the state after it); this state stays as it was, so that a forged message changes nothing."""
        after = copy.copy(self)
        after._read_e(message[:32])
        after._mix_key(shared_secret(self.ephemeral, after.peer_ephemeral))
        after._mix_key(shared_secret(self.static, after.peer_ephemeral))
        after._mix_psk(psk)
        return after._open(message[32:]), after

    def split(self):
        """The initiator's sending key, and the responder's."""
        return _hkdf(self.ck, b"", 2)

    def _write_e(self):
        public = public_key(self.ephemeral)
        self._mix_e(public)
        return public

    def _read_e(self, public):
        self.peer_ephemeral = public
        self._mix_e(public)

    def _mix_e(self, public):
        self._mix_hash(public)
        if self.with_psk:
            self._mix_key(public)

    def _mix_psk(self, psk):
        if self.with_psk:
            self.ck, hashed, self.k = _hkdf(self.ck, psk, 3)
            self.n = 0
            self._mix_hash(hashed)

    def _mix_hash(self, data):
        self.h = hashlib.blake2s(self.h + data).digest()

    def _mix_key(self, material):
        self.ck, self.k = _hkdf(self.ck, material, 2)
        self.n = 0

    def _seal(self, text):
        sealed = aead.seal(self.k, aead.nonce(self.n), text, self.h)
        self.n += 1
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed):
        text = aead.open_(self.k, aead.nonce(self.n), sealed, self.h)
        if text is None:
            raise ValueError("does not open")
        self.n += 1
        self._mix_hash(sealed)
        return text


def _hkdf(key, material, count):
    secret = _hmac(key, material)
    outputs, last = [], b""
    for i in range(1, count + 1):
        last = _hmac(secret, last + bytes([i]))
        outputs.append(last)
    return tuple(outputs)


def _hmac(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()
