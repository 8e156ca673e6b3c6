"""A peer of the tool's pipe, `udpsec listen` and `udpsec connect` (docs/cli.md), that shares no line with it.

    peer.py public SECRET                                  prints the public key of a secret; all keys are in base64
    peer.py connect --key SECRET --peer PUBLIC HOST:PORT   sends standard input, prints what arrives
    peer.py listen --key SECRET --allow PUBLIC HOST:PORT   the same, for whoever calls
    peer.py example FILE                                   recomputes docs/protocol-example.md

It is docs/protocol.md written down once more, from that text alone. This file is the loop around `handshake.py` and
`session.py`: the socket, the clock, standard input and output. What happened goes to standard error, a line each.
"""

import argparse
import base64
import hashlib
import os
import secrets
import select
import socket
import sys
import time

import example
import handshake
from curve25519 import public_key
from handshake import COOKIE_REPLY, INITIATION, RESPONSE, Attempt, Listener, offer, read_header

PIPE_PROTOCOL = b"udpsec-pipe/1"


def now():
    """Microseconds of a clock that only goes forward."""
    return time.monotonic_ns() // 1000


class Peer:
    """One socket and one session."""

    def __init__(self, arguments):
        self.arguments, self.address = arguments, parse_address(arguments.address)
        self.socket, self.session, self.attempt, self.listener = self.bind(), None, None, None
        self.input_open, self.rebound, self.heard = True, False, 0
        psk = arguments.psk
        if arguments.command == "connect":
            self.attempt = Attempt(arguments.key, arguments.peer, offer(arguments.protocol), secrets.randbits(64),
                                   ephemeral=secrets.token_bytes(32), psk=psk, until=now() + arguments.timeout * 1_000_000)
        else:
            self.listener = Listener(arguments.key, {arguments.allow}, arguments.protocol, psk=psk,
                                     always_loaded=arguments.ask_for_cookies)
            say("listening on {}:{}".format(*self.socket.getsockname()))

    def bind(self):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("0.0.0.0", 0) if self.arguments.command == "connect" else self.address)
        made.setblocking(False)
        return made

    def run(self):
        """Until the session is over; how it ended."""
        end = now() + self.arguments.limit * 1_000_000
        while now() < end:
            self.send()
            if self.attempt and self.attempt.error:
                return self.attempt.error
            if self.session and self.session.state == "over":
                return self.session.ended
            self.wait()
        return "OutOfTime"

    def wait(self):
        """Until something comes or is due; takes what came."""
        deadline = self.session.deadline() if self.session else self.attempt.due if self.attempt else None
        timeout = None if deadline is None else max(0, deadline - now()) / 1e6
        ready, _, _ = select.select([self.socket] + self.reads_input(), [], [], timeout)
        if sys.stdin in ready:
            self.read_input()
        if self.socket in ready:
            self.receive()

    def reads_input(self):
        room = self.session and self.session.state == "open" and len(self.session.outgoing.data) < 128 * 1024
        return [sys.stdin] if self.input_open and room else []

    def read_input(self):
        data = os.read(sys.stdin.fileno(), 64 * 1024)
        self.session.outgoing.write(data)
        if not data:
            self.input_open, self.session.outgoing.finished = False, True

    def receive(self):
        """A batch of datagrams, at most."""
        for _ in range(16):
            try:
                datagram, address = self.socket.recvfrom(2048)
            except BlockingIOError:
                break
            self.heard += 1
            self.on_datagram(datagram, address)
        if self.session:
            data = self.session.incoming.read()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def on_datagram(self, datagram, address):
        head = read_header(datagram) if len(datagram) <= 1200 else None
        if head is None:
            return
        kind, _, ident = head
        if kind == INITIATION and self.listener and not self.session:
            answer = self.listener.on_initiation(datagram, address, now())
            if answer:
                self.socket.sendto(answer, address)
            say(f"rejects {self.listener.rejects}")
        elif kind == handshake.DATA and self.session and ident == self.ident:
            self.session.receive(datagram, address, now())
        elif kind == handshake.DATA and self.listener and not self.session:
            self.begin(self.listener.on_data(datagram, address, now()), ident)
        elif self.attempt and not self.session and ident == self.attempt.ident:
            self.on_handshake(kind, datagram, address)

    def on_handshake(self, kind, datagram, address):
        if kind == RESPONSE:
            self.begin(self.attempt.on_response(datagram, self.address, now()), self.attempt.ident)
        elif kind == COOKIE_REPLY:
            again = self.attempt.on_cookie_reply(datagram)
            if again:
                say("cookie")
                self.socket.sendto(again, self.address)

    def begin(self, session, ident):
        if session:
            self.session, self.ident = session, ident
            session.protection.packets_of_key = self.arguments.update_every
            say("established")

    def send(self):
        if self.attempt and not self.session:
            initiation = self.attempt.on_time(now())
            if initiation:
                if self.attempt.sent == 1:
                    self.crowd_in()
                self.socket.sendto(initiation, self.address)
        if not self.session:
            return
        for datagram, address in self.session.transmit(now()):
            try:
                self.socket.sendto(datagram, address)
            except OSError:
                pass  # ICMP messages and socket errors change nothing (section 6)
        self.move()

    def crowd_in(self):
        """Takes all half-open places of the responder, four for each key, so that it asks for a cookie."""
        for secret in crowd(self.arguments.key, self.arguments.crowd) * 4:
            attempt = Attempt(secret, self.attempt.peer, offer(self.arguments.protocol), secrets.randbits(64),
                              ephemeral=secrets.token_bytes(32))
            self.socket.sendto(attempt.initiation, self.address)

    def move(self):
        """Goes on from another port, as behind a NAT that has forgotten us, once so many bytes have been received."""
        after = self.arguments.rebind_after
        if after and not self.rebound and self.session.incoming.read_up_to >= after:
            self.rebound = True
            self.socket.close()
            self.socket = self.bind()


def report(peer):
    """What a test judges by."""
    say(f"heard {peer.heard} datagrams")
    if peer.session:
        protection = peer.session.protection
        say(f"phases sent {protection.sending.phase} received {protection.receiving.phase}")
        say(f"challenges {peer.session.answers} lost {peer.session.recovery.lost_count} of {protection.next}")
        say(f"rejects {protection.rejects}")


def crowd(secret, count):
    """So many other secrets, that follow from one."""
    return [hashlib.blake2s(secret + bytes([i])).digest() for i in range(count)]


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse_address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def key(text):
    data = base64.b64decode(text, validate=True)
    if len(data) != 32:
        raise ValueError
    return data


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    public = commands.add_parser("public")
    public.add_argument("secret", type=key)
    public.add_argument("--crowd", type=int, default=0, help="also those of `connect --crowd`")
    commands.add_parser("example").add_argument("file")
    for name, other in (("connect", "--peer"), ("listen", "--allow")):
        command = commands.add_parser(name)
        command.add_argument("--key", type=key, required=True)
        command.add_argument(other, type=key, required=True)
        command.add_argument("--protocol", type=str.encode, default=PIPE_PROTOCOL)
        command.add_argument("--psk", type=key)
        command.add_argument("--timeout", type=int, default=30, help="seconds until an answer has to have come")
        command.add_argument("--limit", type=int, default=2**31, help="seconds until all has to have ended")
        command.add_argument("--update-every", type=int, default=2**20, help="packets under one key")
        command.add_argument("--crowd", type=int, default=0, help="other keys that call first, and never go on")
        command.add_argument("--rebind-after", type=int, default=0, help="received bytes, then another port")
        command.add_argument("--ask-for-cookies", action="store_true", help="as if always under load")
        command.add_argument("address")
    return parser.parse_args()


def main():
    options = arguments()
    if options.command == "public":
        for secret in [options.secret] + crowd(options.secret, options.crowd):
            print(base64.b64encode(public_key(secret)).decode())
        return False
    if options.command == "example":
        wrong, count = example.check(options.file)
        say("\n".join(["differs: " + name for name in wrong]) or f"{count} blocks agree")
        return bool(wrong)
    peer = Peer(options)
    how = peer.run()
    report(peer)
    say(how)
    return how != "Complete"


if __name__ == "__main__":
    sys.exit(main())
