"""Both sides of the handshake, without sockets: docs/protocol.md, section 3. Times in microseconds.

Left out of the responder, as it serves one session and then ends: the budgets of initiations, the renewal of the cookie
secret, simultaneous open, and repeating a Response to another address than the first.
"""

import hashlib
import hmac
import secrets
import struct

import aead
import parameters
from curve25519 import public_key
from frames import NO_APP_PROTOCOL, NO_COMMON_AEAD
from noise import Handshake
from parameters import ACK_DELAY, ACK_STEP, AEADS, CHACHA, CREDIT, ID, IDLE, PROOF, PROTOCOL, REFUSAL, VERSION
from session import BUFFER, DELAY_MS, IDLE_MS, Session

INITIATION, RESPONSE, COOKIE_REPLY, DATA = 1, 2, 3, 4
SIZES = {INITIATION: range(1200, 1201), RESPONSE: range(1200, 1201), COOKIE_REPLY: range(68, 69), DATA: range(33, 1201)}
PAYLOAD_1, PAYLOAD_2 = 1060, 1140
STEP, PLACES, LIFE = 2, 16, 30_000_000


def header(kind, flags, ident):
    """The twelve bytes that every datagram begins with (section 2)."""
    return struct.pack("<BBBBQ", 1, kind, flags, 0, ident)


def read_header(datagram):
    """(type, flags, id), or None: `malformed_header`."""
    if len(datagram) < 12:
        return None
    version, kind, flags, reserved, ident = struct.unpack_from("<BBBBQ", datagram)
    known = version == 1 and reserved == 0 and len(datagram) in SIZES.get(kind, ())
    return (kind, flags, ident) if known and flags <= (kind in (INITIATION, DATA)) else None


def prologue(initiation):
    """What Noise mixes in first; the flag of the variant is in it."""
    return b"udp-sec v1" + initiation[:12]


def labelled_key(label, public):
    """The key of `mac1`, or the one that cookies travel under."""
    return hashlib.blake2s(b"udp-sec v1 " + label + public).digest()


def mac(key, data):
    """BLAKE2s-128: `mac1`, `mac2` and the cookie itself."""
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def offer(protocol, **more):
    """Our parameters; `more` has `proof` or `ident`."""
    values = {CREDIT: BUFFER, ACK_DELAY: DELAY_MS, IDLE: IDLE_MS, PROTOCOL: protocol, AEADS: [CHACHA]}
    if more.get("proof"):
        values[PROOF] = more["proof"]
    values |= {ACK_STEP: STEP, VERSION: 1}
    return values | {ID: more["ident"]} if "ident" in more else values


def of_peer(values):
    """What a session needs of the peer's parameters."""
    return values[CREDIT], values[ACK_DELAY], values[IDLE], values[ACK_STEP]


class Attempt:
    """The initiator until it has a session."""

    def __init__(self, static, peer, values, ident, *, ephemeral, psk=None, until=2**63):
        self.until, self.peer, self.ident, self.psk, self.protocol = until, peer, ident, psk, values[PROTOCOL]
        start = header(INITIATION, int(psk is not None), ident)
        self.noise = Handshake(prologue(start), static, peer, with_psk=psk is not None, ephemeral=ephemeral)
        message = start + self.noise.write_1(parameters.encode(values, PAYLOAD_1))
        self.mac1, self.mac2 = mac(labelled_key(b"mac1", peer), message), bytes(16)
        self.up_to_mac1 = message + self.mac1
        self.sent, self.due, self.interval = 0, 0, 250_000
        self.sent_at, self.cookie_taken, self.error = None, False, None

    @property
    def initiation(self):
        return self.up_to_mac1 + self.mac2

    def on_time(self, now):
        """The Initiation, if it is due; `error` is set when the budget is spent."""
        if now >= self.until:
            self.error = "HandshakeTimeout"
        if now < self.due or self.error:
            return None
        self.due, self.interval = now + self.interval, min(2 * self.interval, 2_000_000)
        self.sent, self.sent_at, self.cookie_taken = self.sent + 1, now, False
        return self.initiation

    def on_cookie_reply(self, datagram):
        """The Initiation with its `mac2`, or None."""
        key = labelled_key(b"cookie", self.peer)
        cookie = aead.xchacha_open(key, datagram[12:36], datagram[36:], self.mac1)
        if cookie is None or self.cookie_taken:
            return None
        self.cookie_taken, self.mac2 = True, mac(cookie, self.up_to_mac1)
        self.sent += 1
        return self.initiation

    def on_response(self, datagram, address, now):
        """The session; None if the Response does not open or `error` ends the attempt."""
        try:
            payload, after = self.noise.read_2(datagram[12:], self.psk)
            values = parameters.decode(payload, 2)
        except ValueError:
            return None
        if REFUSAL in values:
            self.error = f"Refused({values[REFUSAL]})"
            return None
        if values[PROTOCOL] != self.protocol or values[AEADS] != bytes([CHACHA]):
            return None
        self.noise = after
        sample = now - self.sent_at if self.sent == 1 else None
        session = Session(now, after.split(), values[ID], of_peer(values), address, sample=sample, until=self.until)
        session.control.append(("ping", None))
        return session


class HalfOpen:
    """What the responder keeps of an initiation until Data confirms it."""

    def __init__(self, response, keys, peer, address, now):
        self.response, self.keys, self.peer, self.address, self.time, self.repeated = (
            response, keys, peer, address, now, False)


class Listener:
    """The responder until it has a session."""

    def __init__(self, static, allowed, protocol, *, psk=None, always_loaded=False):
        self.static, self.public, self.allowed = static, public_key(static), allowed
        self.protocol, self.psk, self.always_loaded = protocol, psk, always_loaded
        self.cookie_secret, self.by_hash, self.rejects, self.with_cookie = secrets.token_bytes(32), {}, {}, 0

    def on_initiation(self, datagram, address, now):
        """The one datagram that answers it, or None: silence. The steps of section 3, "The responder"."""
        message, mac1, mac2 = datagram[:1168], datagram[1168:1184], datagram[1184:]
        if not hmac.compare_digest(mac1, mac(labelled_key(b"mac1", self.public), message)):
            return self._reject("bad_mac1")
        self.by_hash = {h: entry for h, entry in self.by_hash.items() if now < entry.time + LIFE}
        known = hashlib.blake2s(message).digest()
        if known in self.by_hash:
            entry = self.by_hash[known]
            entry.repeated = True
            return entry.response if entry.address == address else None
        cookie = mac(self.cookie_secret, address_bytes(address))
        proven = hmac.compare_digest(mac2, mac(cookie, datagram[:1184]))
        if not proven and (self.always_loaded or len(self.by_hash) >= PLACES):
            self._reject("cookie_required")
            return cookie_reply(datagram, self.public, cookie, secrets.token_bytes(24))
        self.with_cookie += proven
        try:
            return self._answer(datagram, known, address, now)
        except parameters.Malformed:
            return self._reject("malformed_parameters")
        except ValueError:
            return self._reject("handshake_failed")

    def _answer(self, datagram, known, address, now):
        with_psk = bool(datagram[2] & 1)
        noise = Handshake(prologue(datagram), self.static, with_psk=with_psk, ephemeral=secrets.token_bytes(32))
        payload = noise.read_1(datagram[12:1168])
        if noise.peer_static not in self.allowed or with_psk != (self.psk is not None):
            return self._reject("peer_not_authorized")
        values, ident = parameters.decode(payload, 1), secrets.randbits(64)
        if values[PROTOCOL] != self.protocol:
            mine = {REFUSAL: NO_APP_PROTOCOL}
        elif CHACHA not in values[AEADS]:
            mine = {REFUSAL: NO_COMMON_AEAD}
        else:
            mine = offer(self.protocol, ident=ident)
        initiator_id = read_header(datagram)[2]
        response = header(RESPONSE, 0, initiator_id) + noise.write_2(parameters.encode(mine, PAYLOAD_2), self.psk)
        if REFUSAL not in mine:
            theirs, ours = noise.split()
            entry = HalfOpen(response, (ours, theirs), (initiator_id, of_peer(values)), address, now)
            self.by_hash[known], entry.ident = entry, ident
        return response

    def on_data(self, datagram, address, now):
        """The session that this packet confirms, which has received it; else None."""
        for entry in self.by_hash.values():
            if entry.ident == read_header(datagram)[2]:
                sample = None if entry.repeated else now - entry.time
                session = Session(now, entry.keys, *entry.peer, address, sample=sample)
                session.receive(datagram, address, now)
                return session if session.protection.largest >= 0 else self._reject("decrypt_failed")
        return self._reject("unknown_session")

    def _reject(self, label):
        self.rejects[label] = self.rejects.get(label, 0) + 1


def address_bytes(address):
    """What a cookie is made over: the four bytes of an IPv4 address, and the port."""
    return bytes(map(int, address[0].split("."))) + struct.pack("<H", address[1])


def cookie_reply(initiation, public, cookie, nonce):
    """The cookie on its way to whoever sent the initiation (section 3, "Under load")."""
    sealed = aead.xchacha_seal(labelled_key(b"cookie", public), nonce, cookie, initiation[1168:1184])
    return header(COOKIE_REPLY, 0, read_header(initiation)[2]) + nonce + sealed
