"""The payloads of both handshake messages: docs/protocol.md, section 3 "Parameters" and "Identity proofs"."""

import struct

CREDIT, ACK_DELAY, IDLE, PROTOCOL, AEADS, PROOF, ACK_STEP, REFUSAL, VERSION, ID = range(1, 11)
CHACHA = 1
FORMATS = {CREDIT: "<Q", ACK_DELAY: "<H", IDLE: "<I", ACK_STEP: "<B", REFUSAL: "<H", VERSION: "<B", ID: "<Q"}
RANGES = {CREDIT: (0, 2**62), ACK_DELAY: (0, 500), IDLE: (1_000, 120_000), ACK_STEP: (1, 64), VERSION: (1, 255)}
OPTIONAL = {ACK_STEP: 2, VERSION: 1, PROOF: None}


class Malformed(ValueError):
    """Counted as `malformed_parameters`."""


def encode(values, size):
    """The list of `values` (a dict of type and value, in its order), padded with zeros to `size` bytes."""
    data = b""
    for kind, value in values.items():
        encoded = struct.pack(FORMATS[kind], value) if kind in FORMATS else bytes(value)
        data += struct.pack("<BH", kind, len(encoded)) + encoded
    return data.ljust(size, b"\0")


def decode(data, message):
    """The dict of a payload of message 1 or 2, with defaults filled in; of a refusal, its code alone."""
    found = _split(data)
    values = {kind: _value(kind, value) for kind, value in found.items() if kind <= ID}
    if REFUSAL in values and message == 2 and len(values) == 1:
        return values
    required = {CREDIT, ACK_DELAY, IDLE, PROTOCOL, AEADS} | ({ID} if message == 2 else set())
    allowed = required | set(OPTIONAL)
    if not required <= set(values) <= allowed or (message == 2 and len(values[AEADS]) != 1):
        raise Malformed("a type is missing, or has no place in this message")
    return OPTIONAL | values


def statement(role, static_public, name):
    """What a proof of identity signs; role is 0 for the initiator's."""
    return b"udp-sec v1 identity" + bytes([role]) + static_public + bytes([len(name)]) + name


def proof(name, public, signature):
    """The value of type 6."""
    return bytes([len(name)]) + name + public + signature


def _split(data):
    found, at = {}, 0
    while at < len(data):
        if data[at] == 0:
            if any(data[at:]):
                raise Malformed("padding that is not zero")
            break
        if at + 3 > len(data):
            raise Malformed("cut off")
        kind, length = struct.unpack_from("<BH", data, at)
        value = data[at + 3 : at + 3 + length]
        if len(value) != length or (kind in found and kind <= ID):
            raise Malformed("cut off, or twice")
        found[kind] = value
        at += 3 + length
    return found


def _value(kind, value):
    if kind in FORMATS:
        if len(value) != struct.calcsize(FORMATS[kind]):
            raise Malformed("wrong length")
        (number,) = struct.unpack(FORMATS[kind], value)
        low, high = RANGES.get(kind, (0, 2**64))
        if not low <= number <= high:
            raise Malformed("out of range")
        return number
    if kind == PROTOCOL and not 1 <= len(value) <= 32:
        raise Malformed("name of the application protocol")
    if kind == AEADS and (not value or len(set(value)) != len(value)):
        raise Malformed("list of AEADs")
    if kind == PROOF and (not value or value[0] > 64 or len(value) != 97 + value[0]):
        raise Malformed("proof of wrong length")
    return value
