"""X25519 (RFC 7748) and Ed25519 (RFC 8032).

docs/protocol.md, section 3: "Noise" needs the first, "Identity proofs" the second. Nothing here runs in constant time:
this is a second implementation to compare with, not one to protect anything with.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493


def public_key(secret):
    """The X25519 public key of 32 secret bytes."""
    return multiply(secret, (9).to_bytes(32, "little"))


def shared_secret(secret, public):
    """A Diffie-Hellman result; one of all zero is refused (section 3)."""
    result = multiply(secret, public)
    if result == bytes(32):
        raise ValueError("all-zero Diffie-Hellman result")
    return result


def multiply(scalar, u):
    """RFC 7748, section 5: the Montgomery ladder."""
    k = int.from_bytes(scalar, "little") & ~7 & (2**254 - 1) | 2**254
    x1 = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


# Ed25519: points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P
IDENTITY = (0, 1, 1, 0)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n, point):
    result = IDENTITY
    while n:
        if n & 1:
            result = _add(result, point)
        point, n = _add(point, point), n >> 1
    return result


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or y >= P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = _decompress(BASE_Y.to_bytes(32, "little"))


def _hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def ed25519_public(secret):
    """The Ed25519 public key of 32 secret bytes."""
    return _compress(_times(_expand(secret)[0], BASE))


def ed25519_sign(secret, message):
    """RFC 8032, section 5.1.6: without prehash and context."""
    scalar, prefix = _expand(secret)
    public = _compress(_times(scalar, BASE))
    r = _hash(prefix, message) % ORDER
    point = _compress(_times(r, BASE))
    s = (r + _hash(point, public, message) * scalar) % ORDER
    return point + s.to_bytes(32, "little")


def ed25519_verify(public, message, signature):
    """RFC 8032, section 5.1.7."""
    s = int.from_bytes(signature[32:], "little")
    try:
        key, r = _decompress(public), _decompress(signature[:32])
    except ValueError:
        return False
    right = _add(r, _times(_hash(signature[:32], public, message) % ORDER, key))
    return s < ORDER and _compress(_times(s, BASE)) == _compress(right)


def _expand(secret):
    digest = hashlib.sha512(secret).digest()
    return int.from_bytes(digest[:32], "little") & ~7 & (2**254 - 1) | 2**254, digest[32:]
