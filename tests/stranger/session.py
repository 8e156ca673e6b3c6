"""A session: docs/protocol.md, sections 5 and 6, without sockets. Times in microseconds.

Left out, as the text allows: pacing, undoing a reduction, and moving to a new address of the peer's (the peer's question
after a new address of ours is answered). Packets leave to where the session began.
"""

import secrets

import frames
from acknowledging import Acknowledging
from frames import NO_ERROR, Violation
from protection import Protection
from recovery import WHOLE, Recovery
from stream import Incoming, Outgoing

BUFFER = 64 * 1024
DELAY_MS, IDLE_MS = 25, 30_000
ROOM = WHOLE - 32  # header, number and tag
CONTROL = {"ping": frames.PING, "max_data": frames.MAX_DATA, "blocked": frames.DATA_BLOCKED}


class Session:
    """`receive` takes a datagram, `transmit` gives what is to leave; `ended` says how it ended."""

    def __init__(self, now, keys, peer_id, peer, address, *, sample=None, until=None):
        """`keys` are (sending, receiving), `peer` is (credit, delay in ms, idle in ms, step) of its parameters."""
        credit, delay, idle, step = peer
        self.address, self.idle = address, min(idle, IDLE_MS) * 1000
        self.protection, self.recovery = Protection(*keys, peer_id, now), Recovery(delay * 1000, self.idle)
        if sample is not None:
            self.recovery.sample(sample, 0)
        self.outgoing, self.incoming = Outgoing(credit), Incoming(BUFFER)
        self.acks = Acknowledging(step, DELAY_MS * 1000)
        self.state, self.ended = "open", None  # then "closing", then "over"
        self.close_code, self.close_due, self.closing_until, self.opened_closing = None, False, None, 0
        self.control = []  # what waits to be sent: ("ping", None), ("max_data", credit), ("blocked", offset)
        self.credit_sent, self.blocked_said = BUFFER, (None, 0)
        self.skips, self.next_skip, self.period = [], 1 + secrets.randbelow(255), 256
        self.alive, self.asked = now, False  # when the idle timeout began anew, and whether by a packet of ours
        self.handshake_until = until  # the end of the initiator's budget, until a packet of the responder has opened
        self.challenges, self.answers = {}, 0

    # What comes in.

    def receive(self, datagram, address, now):
        """A Data packet under our id, from `address`."""
        try:
            opened = self.protection.open(datagram, now, 3 * self.recovery.probe_base())
            if opened is None or self.state == "over":
                return
            self.alive, self.asked, self.handshake_until = now, False, None
            if self.state == "closing":
                self._while_closing(opened[1])
            else:
                self._apply_all(*opened, len(datagram), address, now)
        except Violation as violation:
            self.close(violation.code, now)

    def _apply_all(self, pn, content, size, address, now):
        eliciting = False
        for kind, fields in frames.parse(content):
            eliciting = eliciting or kind in frames.ELICITING
            if kind == frames.ACK:
                self._on_ack(*fields, now)
            elif kind in (frames.STREAM, frames.STREAM_FIN):
                self.incoming.on_frame(*fields, kind == frames.STREAM_FIN)
            elif kind == frames.MAX_DATA:
                self.outgoing.credit = max(self.outgoing.credit, fields[0])
            elif kind == frames.PATH_CHALLENGE:
                self.challenges = {address: (fields[0], size)}
            elif kind == frames.CLOSE:
                return self._on_close(fields[0])
        self.acks.note(pn, eliciting, now)

    def _on_ack(self, low, delay, pieces, now):
        largest = frames.complete(low, self.protection.next)
        spans, top = [], largest + 1
        for gap, length in pieces:
            spans.append((top - gap - length, top - gap))
            top -= gap + length
        if top < 0:
            raise Violation(frames.MALFORMED_FRAME)
        if largest >= self.protection.next or any(a <= skip < b for a, b in spans for skip in self.skips[-8:]):
            raise Violation(frames.ACK_OF_UNSENT_PACKET)
        acked, lost = self.recovery.on_ack(spans, delay, now, self.skips)
        for kind, value in (item for packet in acked for item in packet.carried):
            if kind == "stream":
                self.outgoing.on_acked(value)
            elif kind == "ack":
                self.acks.forget(value)
        self._on_lost(lost)

    def _on_lost(self, packets):
        newest = {"max_data": self.credit_sent, "blocked": self.outgoing.blocked()}
        for kind, value in (item for packet in packets for item in packet.carried):
            if kind == "stream":
                self.outgoing.on_lost(value)
            elif kind in newest and value == newest[kind]:
                self.control.append((kind, value))

    def _on_close(self, code):
        whole = self.outgoing.finished and self.incoming.complete
        self._end("Complete" if code == NO_ERROR and whole else f"ByPeer({code})")

    def _while_closing(self, content):
        self.opened_closing += 1
        self.close_due = self.close_due or self.opened_closing & (self.opened_closing - 1) == 0
        try:
            if any(kind == frames.CLOSE for kind, _ in frames.parse(content)):
                self._end(self.ended)
        except Violation:
            pass

    # What ends it.

    def close(self, code, now):
        """CLOSE leaves with the next `transmit`; the session is closing."""
        if self.state == "open":
            self.state, self.close_code, self.close_due = "closing", code, True
            self.ended = "Complete" if code == NO_ERROR else f"ByUs({code})"
            self.closing_until = now + 3 * self.recovery.probe_base()

    def _end(self, how):
        self.state, self.ended = "over", how

    def _idle_end(self):
        return self.alive + max(self.idle, 3 * self.recovery.probe_base())

    def deadline(self):
        """When `transmit` has something to do although nothing came."""
        if self.state == "closing":
            return self.closing_until
        ping = None if self.asked else self.alive + self.idle // 3
        times = (self.acks.due, self.recovery.deadline(), self._idle_end(), ping, self.handshake_until)
        return min(time for time in times if time is not None)

    def _on_time(self, now):
        if self.state == "closing" and now >= self.closing_until:
            self._end(self.ended)
        if self.state != "open":
            return
        if self.handshake_until is not None and now >= self.handshake_until:
            return self._end("HandshakeTimeout")
        if now >= self._idle_end():
            return self._end("TimedOut")
        if self.outgoing.complete and self.incoming.complete:
            return self.close(NO_ERROR, now)
        if self.recovery.loss_time is not None and now >= self.recovery.loss_time:
            self._on_lost(self.recovery.detect_loss(now, self.skips))
        elif (due := self.recovery.deadline()) is not None and now >= due:
            self.recovery.on_probe_timeout()
        if not self.asked and now >= self.alive + self.idle // 3:
            self.control.append(("ping", None))
        self._flow_control(now)

    def _flow_control(self, now):
        credit = self.incoming.new_credit()
        if credit is not None:
            self.credit_sent = credit
            self.control = [item for item in self.control if item[0] != "max_data"] + [("max_data", credit)]
        blocked, (at, when) = self.outgoing.blocked(), self.blocked_said
        if blocked is not None and (blocked != at or now >= when + self.idle // 3):
            self.blocked_said = blocked, now
            self.control.append(("blocked", blocked))

    # What goes out.

    def transmit(self, now):
        """Yields (datagram, address)."""
        self._on_time(now)
        while self.state != "over":
            made = self._answer(now) or self._closing_packet(now) or self._packet(now)
            if made is None:
                return
            yield made

    def _answer(self, now):
        """PATH_RESPONSE to where the challenge came from, in a datagram as long."""
        if self.state != "open" or not self.challenges:
            return None
        address, (data, size) = self.challenges.popitem()
        self.answers += 1
        content = bytes([frames.PATH_RESPONSE]) + data
        return self._seal(content.ljust(size - 32, b"\0"), now), address

    def _closing_packet(self, now):
        if self.state != "closing" or not self.close_due:
            return None
        waits = self.acks.frame(now)
        self.close_due = False
        self.acks.sent()
        return self._seal((waits[0] if waits else b"") + frames.close(self.close_code), now), self.address

    def _packet(self, now):
        if self.state != "open":
            return None
        waits, content, carried = self.acks.frame(now), b"", []
        if waits:
            content, carried = waits[0], [("ack", waits[1])]
        if self.recovery.may_send() or self.recovery.probes:
            eliciting, items = self._eliciting(ROOM - len(content))
            if items:
                return self._in_flight(content + eliciting, carried + items, waits, now), self.address
        if not waits or now < self.acks.due:
            return None
        return self._with_ack(waits, content, now), self.address

    def _in_flight(self, content, carried, waits, now):
        if not self.asked:
            self.alive, self.asked = now, True
        datagram = self._with_ack(waits, content, now)
        self.recovery.on_sent(self.protection.next - 1, now, len(datagram), carried)
        return datagram

    def _with_ack(self, waits, content, now):
        if waits:
            self.acks.sent()
            self.protection.on_ack_sealed(waits[1])
        return self._seal(content, now)

    def _eliciting(self, room):
        """Frames that ask for an ACK, and what they carry; for a probe, the oldest in flight again, or PING."""
        content, items = self._waiting(room)
        if not items and self.recovery.probes:
            self._on_lost(self.recovery.oldest())
            content, items = self._waiting(room)
            if not items:
                content, items = bytes([frames.PING]), [("ping", None)]
        if items:
            self.recovery.probes = max(0, self.recovery.probes - 1)
        return content, items

    def _waiting(self, room):
        content, items, self.control = b"", self.control, []
        for kind, value in items:
            content += bytes([CONTROL[kind]]) if value is None else frames.number(CONTROL[kind], value)
        made = self.outgoing.frame(room - len(content))
        if made is not None:
            content, items = content + made[0], items + [("stream", made[1])]
        return content, items

    def _seal(self, content, now):
        protection = self.protection
        protection.update_if_due(self.recovery.largest_acked, now)
        if protection.next == self.next_skip:
            self.skips.append(protection.next)
            before, self.period = self.period, min(2 * self.period, 2**17)
            self.next_skip += before + secrets.randbelow(self.period)
            protection.next += 1
        return protection.seal(content)
