"""Data packets sealed and opened: docs/protocol.md, section 2 "Data packets", section 3 "Life of a key"."""

import struct

import aead
from frames import KEY_UPDATE_VIOLATION, Violation, complete

DATA = 4
WINDOW = 1024
KEY_AGE, KEY_PACKETS = 120_000_000, 2**20


class Direction:
    """The present key of one direction, and the number of the first packet sealed or lowest opened under it."""

    def __init__(self, key):
        self.key, self.phase, self.first = key, 0, None

    def move(self):
        self.key, self.phase, self.first = aead.rekey(self.key), self.phase + 1, None


class Protection:
    """Both directions' keys, packet numbers and the replay window."""

    def __init__(self, send_key, receive_key, peer_id, now):
        self.sending, self.receiving, self.peer_id = Direction(send_key), Direction(receive_key), peer_id
        self.next, self.sealed, self.since, self.packets_of_key = 0, 0, now, KEY_PACKETS
        self.largest, self.seen = -1, 0  # bit n of `seen`: number largest - n has opened
        self.previous, self.previous_until = None, None
        self.ack_sealed = False  # of a packet of the receiving direction's present phase
        self.rejects = {}

    def seal(self, content):
        """The datagram under the next number, which is counted on."""
        pn, self.next, self.sealed = self.next, self.next + 1, self.sealed + 1
        if self.sending.first is None:
            self.sending.first = pn
        header = struct.pack("<BBBBQI", 1, DATA, self.sending.phase & 1, 0, self.peer_id, pn & 0xFFFFFFFF)
        return header + aead.seal(self.sending.key, aead.nonce(pn), content, header)

    def on_ack_sealed(self, largest):
        """An ACK of numbers up to `largest` is about to leave."""
        if self.receiving.first is not None and largest >= self.receiving.first:
            self.ack_sealed = True

    def update_if_due(self, largest_acked, now):
        """Moves the sending key, if it is due and the peer has followed to the present one."""
        due = now >= self.since + KEY_AGE or self.sealed >= self.packets_of_key
        followed = self.sending.phase == self.receiving.phase and self.receiving.first is not None
        if due and followed and self.sending.first is not None and largest_acked >= self.sending.first:
            self._move_sending(now)

    def _move_sending(self, now):
        self.sending.move()
        self.sealed, self.since = 0, now

    def open(self, datagram, now, keep_for):
        """(number, content) or None. `keep_for` is how long the key before is kept (three probe timeouts)."""
        pn = complete(struct.unpack_from("<I", datagram, 12)[0], self.largest + 1)
        age = self.largest - pn
        if age >= WINDOW or (age >= 0 and self.seen >> age & 1):
            return self._reject("replay_or_stale_packet_number")
        key, moves = self._choose(datagram[2] & 1, pn, now)
        content = aead.open_(key, aead.nonce(pn), datagram[16:], datagram[:16])
        if content is None:
            return self._reject("decrypt_failed")
        if moves:
            self._follow(now, keep_for)
        if key == self.receiving.key:
            self.receiving.first = pn if self.receiving.first is None else min(pn, self.receiving.first)
        if age < 0:
            self.seen, self.largest = self.seen << -age & 2**WINDOW - 1, pn
        self.seen |= 1 << self.largest - pn
        return pn, content

    def _choose(self, flag, pn, now):
        """The one key to try, and whether it is the next one."""
        if flag == self.receiving.phase & 1:
            return self.receiving.key, False
        below = self.receiving.first is not None and pn < self.receiving.first
        if below and self.previous is not None and now < self.previous_until:
            return self.previous, False
        return aead.rekey(self.receiving.key), True

    def _follow(self, now, keep_for):
        if self.sending.phase == self.receiving.phase:
            if not self.ack_sealed:
                self._reject("key_update_violation")
                raise Violation(KEY_UPDATE_VIOLATION)
            self._move_sending(now)
        self.previous, self.previous_until = self.receiving.key, now + keep_for
        self.receiving.move()
        self.ack_sealed = False

    def _reject(self, label):
        self.rejects[label] = self.rejects.get(label, 0) + 1
