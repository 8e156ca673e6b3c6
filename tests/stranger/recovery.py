"""What was sent and is not acknowledged: docs/protocol.md, section 5; RFC 9002. Times in microseconds."""

WHOLE = 1200
INITIAL_RTT = 333_000
GRANULARITY = 1_000


class Sent:
    """An ack-eliciting packet in flight."""

    def __init__(self, time, size, carried):
        self.time, self.size, self.carried = time, size, carried


class Recovery:
    """RTT, loss detection, probe timeout, and NewReno without pacing."""

    def __init__(self, peer_delay, idle):
        self.peer_delay, self.idle = peer_delay, idle
        self.smoothed, self.variation, self.latest, self.minimum = INITIAL_RTT, INITIAL_RTT // 2, None, None
        self.sent, self.largest_acked, self.last_eliciting = {}, -1, 0
        self.in_flight, self.window, self.threshold, self.recovery_start = 0, 12_000, 2**63, -1
        self.timeouts, self.probes, self.loss_time, self.lost_count = 0, 0, None, 0

    def may_send(self):
        return self.in_flight + WHOLE <= self.window

    def on_sent(self, pn, now, size, carried):
        self.sent[pn] = Sent(now, size, carried)
        self.in_flight += size
        self.last_eliciting = now

    def sample(self, rtt, delay):
        """RFC 9002, section 5.3; a later sample is bounded as section 5 of the protocol says."""
        if self.latest is None:
            self.latest = self.minimum = self.smoothed = rtt
            self.variation = rtt // 2
            return
        rtt = min(rtt, 8 * (self.smoothed + max(4 * self.variation, GRANULARITY)))
        self.latest, self.minimum = rtt, min(self.minimum, rtt)
        delay = min(delay, self.peer_delay)
        adjusted = rtt - delay if rtt >= self.minimum + delay else rtt
        self.variation = (3 * self.variation + abs(self.smoothed - adjusted)) // 4
        self.smoothed = (7 * self.smoothed + adjusted) // 8

    def on_ack(self, spans, delay, now, skipped):
        """(packets newly acknowledged, packets lost) for ranges that the peer acknowledges."""
        acked = {pn: p for pn, p in self.sent.items() if any(a <= pn < b for a, b in spans)}
        largest = max(b for _, b in spans) - 1
        self.largest_acked = max(self.largest_acked, largest)
        if not acked:
            return [], []
        if largest in acked:
            self.sample(now - acked[largest].time, delay)
        limited = self.in_flight + 2 * WHOLE > self.window
        for pn, packet in acked.items():
            self._forget(pn)
            if limited and packet.time > self.recovery_start:
                slow_start = self.window < self.threshold
                self.window += packet.size if slow_start else WHOLE * packet.size // self.window
        self.timeouts = 0
        return list(acked.values()), self.detect_loss(now, skipped)

    def detect_loss(self, now, skipped):
        """RFC 9002, section 6.1."""
        patience = max(9 * max(self.latest or 0, self.smoothed) // 8, GRANULARITY)
        lost, self.loss_time = {}, None
        for pn, packet in self.sent.items():
            if pn >= self.largest_acked:
                break
            behind = self.largest_acked - pn - sum(pn < s < self.largest_acked for s in skipped)
            if behind >= 3 or packet.time + patience <= now:
                lost[pn] = packet
            elif self.loss_time is None:
                self.loss_time = packet.time + patience
        for pn, packet in lost.items():
            self._forget(pn)
            if packet.time > self.recovery_start:
                self.recovery_start = now
                self.window = self.threshold = max(self.window // 2, 2 * WHOLE)
        self.lost_count += len(lost)
        return list(lost.values())

    def probe_base(self):
        return self.smoothed + max(4 * self.variation, GRANULARITY) + self.peer_delay

    def deadline(self):
        """When loss or a probe timeout is due."""
        if self.loss_time is not None or not self.sent:
            return self.loss_time
        base = self.probe_base()
        return self.last_eliciting + min(base << self.timeouts, max(2 * base, self.idle // 8))

    def on_probe_timeout(self):
        """Two packets may leave, whatever the window says."""
        self.timeouts, self.probes = self.timeouts + 1, 2

    def oldest(self):
        """The packet in flight whose content a probe repeats: the oldest, then the one after it."""
        return list(self.sent.values())[2 - self.probes : 3 - self.probes]

    def _forget(self, pn):
        self.in_flight -= self.sent.pop(pn).size
