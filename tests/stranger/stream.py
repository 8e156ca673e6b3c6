"""The two directions of the stream: docs/protocol.md, section 4 "Sent again is information", section 6 "Credit"."""

import frames
from frames import Violation
from ranges import Ranges


class Outgoing:
    """Bytes to send: what is new, what is lost, what is acknowledged."""

    def __init__(self, credit):
        self.data, self.base = bytearray(), 0  # `data` begins at offset `base`: all before is acknowledged
        self.next, self.credit = 0, credit
        self.lost, self.acked = Ranges(), Ranges()
        self.finished, self.fin_state = False, "unsent"  # then "sent", "lost", "acked"

    @property
    def end(self):
        return self.base + len(self.data)

    @property
    def complete(self):
        return self.fin_state == "acked" and self.base == self.end

    def write(self, data):
        self.data += data

    def blocked(self):
        """The offset at which credit stops us, or None."""
        return self.credit if self.next == self.credit < self.end else None

    def frame(self, room):
        """(frame, what it carries) of at most `room` bytes, the lowest offset first; None if nothing is to be sent."""
        if room < 12:
            return None
        if self.lost.spans:
            start, end = self.lost.spans[0]
        else:
            start, end = self.next, min(self.end, self.credit)
        end = min(end, start + room - 11)
        fin = self.finished and end == self.end and self.fin_state != "acked"
        if start >= end and not (fin and self.fin_state in ("unsent", "lost")):
            return None
        self.lost.remove(start, end)
        self.next = max(self.next, end)
        if fin:
            self.fin_state = "sent"
        return frames.stream(start, bytes(self.data[start - self.base : end - self.base]), fin), (start, end, fin)

    def on_acked(self, carried):
        start, end, fin = carried
        self.acked.add(start, end)
        self.lost.remove(start, end)
        if fin:
            self.fin_state = "acked"
        if self.acked.spans and self.acked.spans[0][0] <= self.base < self.acked.spans[0][1]:
            up_to = self.acked.spans[0][1]
            del self.data[: up_to - self.base]
            self.base = up_to

    def on_lost(self, carried):
        start, end, fin = carried
        for a, b in self.acked.missing(start, end):
            self.lost.add(a, b)
        if fin and self.fin_state == "sent":
            self.fin_state = "lost"


class Incoming:
    """Received bytes: at most one buffer of them beyond what was read."""

    def __init__(self, size):
        self.size, self.credit = size, size
        self.buffer, self.received, self.read_up_to = bytearray(size), Ranges(), 0
        self.final = None

    @property
    def complete(self):
        """Everything up to the peer's FIN has been received."""
        return self.final is not None and not self.received.missing(self.read_up_to, self.final)

    def on_frame(self, offset, data, fin):
        end = offset + len(data)
        if end > self.credit:
            raise Violation(frames.FLOW_CONTROL_VIOLATION)
        highest = max([self.read_up_to] + [b for _, b in self.received.spans])
        if (self.final is not None and (end > self.final or fin and end != self.final)) or (fin and end < highest):
            raise Violation(frames.FINAL_SIZE_CHANGED)
        if fin:
            self.final = end
        for a, b in self.received.missing(max(offset, self.read_up_to), end):
            at = a - self.read_up_to
            self.buffer[at : at + b - a] = data[a - offset : b - offset]
            self.received.add(a, b)

    def read(self):
        """What has arrived in order since the last time."""
        if not self.received.spans or self.received.spans[0][0] != self.read_up_to:
            return b""
        count = self.received.spans[0][1] - self.read_up_to
        data = bytes(self.buffer[:count])
        self.buffer = self.buffer[count:] + bytearray(count)
        self.read_up_to += count
        self.received.remove(0, self.read_up_to)
        return data

    def new_credit(self):
        """The credit for a MAX_DATA that is due now, or None."""
        credit = self.read_up_to + self.size
        if self.final is None and credit - self.credit >= self.size // 4:
            self.credit = credit
            return credit
        return None
