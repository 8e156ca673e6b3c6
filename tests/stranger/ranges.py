"""A set of numbers, kept as ranges: packet numbers to acknowledge (docs/protocol.md, section 5) and stream bytes."""


class Ranges:
    """Sorted, disjoint half-open ranges."""

    def __init__(self):
        self.spans = []

    def add(self, start, end):
        """Adds start to end - 1; touching ranges become one."""
        if start >= end:
            return
        apart = []
        for a, b in self.spans:
            if b < start or a > end:
                apart.append((a, b))
            else:
                start, end = min(a, start), max(b, end)
        self.spans = sorted(apart + [(start, end)])

    def remove(self, start, end):
        """Takes start to end - 1 out."""
        pieces = [piece for a, b in self.spans for piece in ((a, min(b, start)), (max(a, end), b))]
        self.spans = [(a, b) for a, b in pieces if a < b]

    def missing(self, start, end):
        """The parts of start to end - 1 that are not in the set."""
        gaps = Ranges()
        gaps.add(start, end)
        for a, b in self.spans:
            gaps.remove(a, b)
        return gaps.spans

    def __contains__(self, number):
        return any(a <= number < b for a, b in self.spans)
