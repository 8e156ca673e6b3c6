"""Recomputes every byte of docs/protocol-example.md, which the Rust implementation has written.

The texts of the file are found by their names: the last line before each block that ends in "bytes):" or "(N bytes):".
"""

import re

import aead
import curve25519
import handshake
import parameters
from handshake import Attempt, offer
from noise import Handshake
from session import Session

INITIATOR_ID, RESPONDER_ID = 0x0807060504030201, 0x1817161514131211
PROTOCOL, SOURCE = b"example/1", ("192.0.2.1", 40000)
INPUTS = ("secret", "Pre-shared key")


def check(path):
    """Returns the names that differ, and how many were compared. No block of the file is left out."""
    with open(path, encoding="utf-8") as file:
        blocks = read(file.read())
    computed = compute(blocks)
    expected = {name: value for name, value in blocks.items() if not name.endswith(INPUTS)}
    names = expected.keys() | computed.keys()
    return sorted(name for name in names if expected.get(name) != computed.get(name)), len(names)


def read(text):
    """{name: bytes} of all blocks; a name that comes again has its heading before it."""
    blocks, heading, name, collecting = {}, "", "", None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line == "```text":
            collecting = ""
        elif line == "```":
            key = re.sub(r"[`]| \(\d+ bytes\):$|, without the zeros.*", "", name)
            blocks[f"{heading}: {key}"] = bytes.fromhex(collecting)
            collecting = None
        elif collecting is not None:
            collecting += line
        elif line:
            name = line
    return blocks


def compute(blocks):
    """{name: bytes} of all that follows from the secrets of the file."""
    secret = {name.split(": ")[1]: value for name, value in blocks.items() if name.endswith(INPUTS)}
    out = {}
    for name in ("Initiator's static", "Responder's static", "Initiator's ephemeral", "Responder's ephemeral"):
        out[f"Keys and ids: {name} public key"] = curve25519.public_key(secret[f"{name} secret"])
    initiator, responder = (out[f"Keys and ids: {side} static public key"] for side in ("Initiator's", "Responder's"))
    proof = identity(secret["Ed25519 secret"], initiator, out)
    attempt, keys = shake_hands(secret, responder, proof, None, out)
    data(*keys, out)
    cookie(secret["Cookie secret"], attempt, responder, out)
    shake_hands(secret, responder, None, secret["Pre-shared key"], out)
    return out


def identity(secret, static, out):
    """The proof of a device called `lamp`."""
    public, statement = curve25519.ed25519_public(secret), parameters.statement(0, static, b"lamp")
    signature = curve25519.ed25519_sign(secret, statement)
    assert curve25519.ed25519_verify(public, statement, signature)
    assert not curve25519.ed25519_verify(public, statement + b"!", signature)
    prefix = "The initiator's identity proof: "
    out |= {prefix + "Ed25519 public key": public, prefix + "Statement": statement, prefix + "Signature": signature}
    return parameters.proof(b"lamp", public, signature)


def shake_hands(secret, responder, proof, psk, out):
    """Both handshake messages, each made by one side and read by the other."""
    theirs = offer(PROTOCOL, proof=proof) | {parameters.CREDIT: 65_536}
    attempt = Attempt(secret["Initiator's static secret"], responder, theirs, INITIATOR_ID,
                      ephemeral=secret["Initiator's ephemeral secret"], psk=psk)
    noise = Handshake(handshake.prologue(attempt.initiation), secret["Responder's static secret"],
                      with_psk=psk is not None, ephemeral=secret["Responder's ephemeral secret"])
    assert parameters.decode(noise.read_1(attempt.initiation[12:1168]), 1)[parameters.PROOF] == proof
    ours = parameters.encode(offer(PROTOCOL, ident=RESPONDER_ID) | {parameters.CREDIT: 16_384}, handshake.PAYLOAD_2)
    response = handshake.header(handshake.RESPONSE, 0, INITIATOR_ID) + noise.write_2(ours, psk)
    payload, after = attempt.noise.read_2(response[12:], psk)
    assert payload == ours and after.split() == noise.split()
    names = ["Initiation: Datagram", "Response: Datagram", "Response: Handshake hash",
             "Data: Initiator to responder", "Data: Responder to initiator"]
    if psk is not None:
        names = ["Initiation", "Response", "Handshake hash", "Initiator to responder", "Responder to initiator"]
        names = ["The same with a pre-shared key: " + name for name in names]
    else:
        out["Initiation: Noise prologue"] = handshake.prologue(attempt.initiation)
        out["Initiation: Payload"] = parameters.encode(theirs, 0)
        out["Initiation: Key of mac1"] = handshake.labelled_key(b"mac1", responder)
        out["Initiation: mac1"] = attempt.mac1
        out["Response: Payload"] = ours.rstrip(b"\0")
    out |= zip(names, [attempt.initiation, response, after.h, *after.split()])
    return attempt, after.split()


def data(initiators, responders, out):
    """Two sessions say hello to each other, and move to the next key between."""
    peer = 65_536, 25, 30_000, 2
    a = Session(0, (initiators, responders), RESPONDER_ID, peer, "b")
    b = Session(0, (responders, initiators), INITIATOR_ID, peer, "a")
    a.next_skip = b.next_skip = None
    a.outgoing.write(b"hello")
    packet(a, b, initiators, "Initiator, packet 0: STREAM at 0, `hello`", out)
    b.outgoing.write(b"world")
    b.outgoing.finished = True
    second = "Responder, packet 0: ACK of 0, STREAM with FIN at 0, `world`"
    packet(b, a, responders, second, out)
    out[f"{second}: Initiator to responder, phase 1"] = aead.rekey(initiators)
    out[f"{second}: Responder to initiator, phase 1"] = aead.rekey(responders)
    a.protection.packets_of_key, a.outgoing.finished = 1, True
    third = "Initiator, packet 1 in phase 1: ACK of 0, STREAM with FIN at 5, empty"
    packet(a, b, aead.rekey(initiators), third, out)
    packet(b, a, aead.rekey(responders), "Responder, packet 1 in phase 1: ACK of 1, CLOSE(NO_ERROR)", out)
    assert a.ended == b.ended == "Complete" and a.incoming.read() == b"world" and b.incoming.read() == b"hello"


def packet(sender, receiver, key, name, out):
    """The one datagram that `sender` has to send now; `receiver` takes it."""
    ((datagram, _),) = sender.transmit(0)
    number = sender.protection.next - 1
    out[f"{name}: Datagram"] = datagram
    out[f"{name}: Frames"] = aead.open_(key, aead.nonce(number), datagram[16:], datagram[:16])
    receiver.receive(datagram, receiver.address, 0)


def cookie(secret, attempt, responder, out):
    """The answer of a responder under load, and the `mac2` that the initiator makes of it."""
    value = handshake.mac(secret, handshake.address_bytes(SOURCE))
    reply = handshake.cookie_reply(attempt.initiation, responder, value, b"\xe0" * 24)
    assert attempt.on_cookie_reply(reply) is not None
    named = {"Cookie": value, "Key it travels under": handshake.labelled_key(b"cookie", responder),
             "CookieReply": reply, "mac2 of the Initiation that is sent again": attempt.mac2}
    out |= {f"A cookie: {name}": value for name, value in named.items()}
