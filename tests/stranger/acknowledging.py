"""Which packets to acknowledge, and when: docs/protocol.md, section 5 "Acknowledging"."""

import frames
from ranges import Ranges


class Acknowledging:
    """The numbers that opened, the newest 32 ranges of them. Times in microseconds."""

    def __init__(self, step, delay):
        self.step, self.delay = min(step, 2), delay
        self.numbers, self.largest, self.largest_time = Ranges(), -1, 0
        self.in_order, self.waiting, self.due = 0, 0, None

    def note(self, pn, eliciting, now):
        """A packet has opened and was processed."""
        self.in_order = self.in_order + 1 if pn == self.largest + 1 else 0
        if pn > self.largest:
            self.largest, self.largest_time = pn, now
        self.numbers.add(pn, pn + 1)
        del self.numbers.spans[:-32]
        if eliciting:
            self.waiting += 1
            at_once = self.in_order < 64 or self.waiting >= self.step
            due = now if at_once else now + self.delay
            self.due = due if self.due is None else min(due, self.due)

    def frame(self, now):
        """(the ACK that waits, the largest number in it), or None."""
        if not self.waiting or not self.numbers.spans:
            return None
        return frames.ack(self.numbers, now - self.largest_time), self.numbers.spans[-1][1] - 1

    def sent(self):
        self.waiting, self.due = 0, None

    def forget(self, largest):
        """A packet of ours that held an ACK up to `largest` was acknowledged."""
        self.numbers.remove(0, largest + 1)
