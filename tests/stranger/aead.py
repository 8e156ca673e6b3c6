"""ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha).

docs/protocol.md, section 2 "Data packets", section 3 "Noise" and "`mac1` and `mac2`". All blocks of a text are computed at
once: each of the sixteen state words is one big integer with a lane of 64 bits per block, of which 32 are used.
"""

import hmac

CONSTANTS = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]
QUARTERS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


def seal(key, nonce, text, associated=b""):
    """The sealed text and its tag of 16 bytes."""
    stream = _keystream(key, nonce, len(text))
    sealed = _xor(text, stream[64:])
    return sealed + _tag(stream[:32], associated, sealed)


def open_(key, nonce, sealed, associated=b""):
    """The text, or None if the tag is wrong."""
    if len(sealed) < 16:
        return None
    text, tag = sealed[:-16], sealed[-16:]
    stream = _keystream(key, nonce, len(text))
    if not hmac.compare_digest(tag, _tag(stream[:32], associated, text)):
        return None
    return _xor(text, stream[64:])


def xchacha_seal(key, nonce, text, associated=b""):
    """As `seal`, with a nonce of 24 bytes."""
    return seal(_hchacha(key, nonce[:16]), bytes(4) + nonce[16:], text, associated)


def xchacha_open(key, nonce, sealed, associated=b""):
    """As `open_`, with a nonce of 24 bytes."""
    return open_(_hchacha(key, nonce[:16]), bytes(4) + nonce[16:], sealed, associated)


def nonce(number):
    """Four zero bytes and the number: Noise's nonce, and a Data packet's."""
    return bytes(4) + number.to_bytes(8, "little")


def rekey(key):
    """Noise's REKEY: the next key of a direction (section 3, "Life of a key")."""
    return seal(key, nonce(2**64 - 1), bytes(32))[:32]


def _words(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def _rounds(state, mask):
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                state[x] = (state[x] + state[y]) & mask
                turned = (state[z] ^ state[x]) << turn
                state[z] = (turned | turned >> 32) & mask


def _keystream(key, nonce_bytes, length):
    """Block 0, whose first half is the key of Poly1305, and as many more as the text needs."""
    count = 1 + (length + 63) // 64
    ones = sum(1 << 64 * lane for lane in range(count))
    counters = sum(lane << 64 * lane for lane in range(count))
    mask = ones * 0xFFFFFFFF
    start = [word * ones for word in CONSTANTS + _words(key)] + [counters]
    start += [word * ones for word in _words(nonce_bytes)]
    state = list(start)
    _rounds(state, mask)
    stream = bytearray(64 * count)
    for i in range(16):
        lanes = ((state[i] + start[i]) & mask).to_bytes(8 * count, "little")
        for byte in range(4):
            stream[4 * i + byte :: 64] = lanes[byte::8]
    return bytes(stream)


def _hchacha(key, nonce_bytes):
    state = CONSTANTS + _words(key) + _words(nonce_bytes)
    _rounds(state, 0xFFFFFFFF)
    return b"".join(word.to_bytes(4, "little") for word in state[:4] + state[12:])


def _xor(a, b):
    length = len(a)
    return (int.from_bytes(a, "little") ^ int.from_bytes(b[:length], "little")).to_bytes(length, "little")


def _tag(key, associated, sealed):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    data = associated + bytes(-len(associated) % 16) + sealed + bytes(-len(sealed) % 16)
    data += len(associated).to_bytes(8, "little") + len(sealed).to_bytes(8, "little")
    sum_ = 0
    for i in range(0, len(data), 16):
        sum_ = (sum_ + int.from_bytes(data[i : i + 16], "little") + 2**128) * r % (2**130 - 5)
    return (sum_ + int.from_bytes(key[16:], "little") & 2**128 - 1).to_bytes(16, "little")
