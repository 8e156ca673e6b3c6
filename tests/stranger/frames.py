"""What stands in the sealed part of a Data packet: docs/protocol.md, section 4."""

import struct

PADDING, PING, ACK, STREAM, STREAM_FIN, MAX_DATA, DATA_BLOCKED, PATH_CHALLENGE, PATH_RESPONSE = 0, 1, 2, 4, 5, 6, 7, 8, 9
CLOSE = 0x0C
ELICITING = {PING, STREAM, STREAM_FIN, MAX_DATA, DATA_BLOCKED, PATH_CHALLENGE, PATH_RESPONSE}
NO_ERROR, APP_ABORT, NO_APP_PROTOCOL, NO_COMMON_AEAD, SESSION_LIMIT, KEY_LIMIT, VERSION, MALFORMED_FRAME = range(8)
ACK_OF_UNSENT_PACKET, FLOW_CONTROL_VIOLATION, FINAL_SIZE_CHANGED, KEY_UPDATE_VIOLATION = range(8, 12)
LARGEST_OFFSET = 2**62


class Violation(Exception):
    """The peer broke a rule; the session closes with `code`."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def stream(offset, data, fin):
    """A STREAM frame: 11 bytes and the data."""
    return struct.pack("<BQH", STREAM_FIN if fin else STREAM, offset, len(data)) + data


def number(kind, value):
    """MAX_DATA or DATA_BLOCKED."""
    return struct.pack("<BQ", kind, value)


def close(code, reason=b""):
    """CLOSE with a reason in UTF-8."""
    return struct.pack("<BHB", CLOSE, code, len(reason)) + reason


def ack(ranges, delay):
    """ACK of a `Ranges`, newest first; `delay` in microseconds."""
    pieces, below = [], None
    for start, end in reversed(ranges.spans):
        gap = 0 if below is None else below - end
        if gap > 65_535:
            break
        while start < end:
            length = min(end - start, 65_535)
            pieces.append((gap, length))
            end, gap = end - length, 0
        below = start
    largest = ranges.spans[-1][1] - 1
    frame = struct.pack("<BIHBH", ACK, largest & 0xFFFFFFFF, min(delay // 8, 65_535), len(pieces[:32]), pieces[0][1])
    return frame + b"".join(struct.pack("<HH", *piece) for piece in pieces[1:32])


def complete(low, expected):
    """The number nearest to `expected` whose low half is `low` (RFC 9000, appendix A.3, with 32 bits)."""
    candidate = expected & ~0xFFFFFFFF | low
    if candidate + 2**31 <= expected:
        return candidate + 2**32
    if candidate > expected + 2**31 and candidate >= 2**32:
        return candidate - 2**32
    return candidate


def parse(data):
    """Yields (type, fields): one frame after another, so that those before a malformed one can be applied."""
    reader = _Reader(data)
    if not data:
        raise Violation(MALFORMED_FRAME)
    while reader.at < len(data):
        kind = reader.take("<B")
        if kind in (PADDING, PING):
            yield kind, ()
        elif kind == ACK:
            yield kind, _parse_ack(reader)
        elif kind in (STREAM, STREAM_FIN):
            offset, length = reader.take("<Q"), reader.take("<H")
            reader.check(offset + length <= LARGEST_OFFSET and (length or kind == STREAM_FIN))
            yield kind, (offset, reader.bytes(length))
        elif kind in (MAX_DATA, DATA_BLOCKED):
            value = reader.take("<Q")
            reader.check(value <= LARGEST_OFFSET)
            yield kind, (value,)
        elif kind in (PATH_CHALLENGE, PATH_RESPONSE):
            yield kind, (reader.bytes(8),)
        elif kind == CLOSE:
            code, reason = reader.take("<H"), reader.bytes(reader.take("<B"))
            try:
                yield kind, (code, reason.decode())
            except UnicodeDecodeError:
                raise Violation(MALFORMED_FRAME) from None
        else:
            raise Violation(MALFORMED_FRAME)


def _parse_ack(reader):
    """(low half of the largest, delay in microseconds, [(gap, length), ...])"""
    largest, delay, count = reader.take("<I"), reader.take("<H") * 8, reader.take("<B")
    reader.check(1 <= count <= 32)
    pieces = [(0, reader.take("<H"))]
    for _ in range(count - 1):
        gap, length = reader.take("<H"), reader.take("<H")
        reader.check(gap or pieces[-1][1] == 65_535)
        pieces.append((gap, length))
    reader.check(all(length for _, length in pieces))
    return largest, delay, pieces


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, count):
        part = self.data[self.at : self.at + count]
        self.check(len(part) == count)
        self.at += count
        return part

    def take(self, layout):
        return struct.unpack(layout, self.bytes(struct.calcsize(layout)))[0]

    @staticmethod
    def check(condition):
        if not condition:
            raise Violation(MALFORMED_FRAME)
