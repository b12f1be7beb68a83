"""Hold the codec against cbor2, an implementation that knows nothing of this project.

cbor2 writes each message canonically, our decoder takes it and our encoder writes its fields; the
bytes must be the same, and cbor2 must read from them the values it began with. Values are the
limits of docs/SPEC.md and a fixed series of random ones. What cbor2 writes otherwise than
canonically, or with a wrong key or value, must be refused.

Usage: test_cbor2.py PROGRAM
"""

import random
import subprocess
import sys
import unittest

import cbor2

SEED = 20210110
ROUNDS = 200
U32 = 2**32 - 1


class Peer:
    """The program that decodes and encodes, one line for one line."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, codec, message):
        self.process.stdin.write(f"{codec}:{message.hex()}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(30)


class Values:
    """Random values of the kinds that messages are made of; limits come up often."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def uint(self, least=0, most=U32):
        near = [least, most, *(n for n in (23, 24, 255, 256, 65535, 65536) if least <= n <= most)]
        if self.random.random() < 0.5:
            return self.random.choice(near)
        return self.random.randint(least, most)

    def bytes(self, least, most=None):
        most = least if most is None else most
        return self.random.randbytes(self.random.choice([least, most, self.random.randint(least, most)]))

    def ascii(self, least, most):
        count = self.random.choice([least, most, self.random.randint(least, most)])
        return "".join(chr(self.random.randint(0x20, 0x7E)) for _ in range(count))

    def utf8(self, most_bytes):
        text = self.random.choice(["ä", "€", "𝄞", "a", "~", "\x7f", "\u07ff", "\ufffd"])
        while len(text.encode()) < most_bytes - 4 and self.random.random() < 0.9:
            text += chr(self.random.choice([self.random.randint(1, 0x7FF), 0x20AC, 0x10FFFF]))
        return text

    def bool(self):
        return self.random.random() < 0.5

    def scalar(self):
        return self.random.choice(
            [
                self.uint(),
                -1 - self.uint(0, 2**31 - 1),
                self.bool(),
                None,
                self.bytes(0, 20),
                self.utf8(20),
            ]
        )

    def item(self, depth):
        if depth == 0 or self.random.random() < 0.4:
            return self.scalar()
        if self.bool():
            return [self.item(depth - 1) for _ in range(self.random.randint(0, 3))]
        keys = self.random.sample(range(1, 24), self.random.randint(0, 3))
        return {key: self.item(depth - 1) for key in keys}


def manifest(v):
    image, block = v.uint(1, 2**24), 2 ** v.random.randint(8, 12)
    payload = image + 32 * (-(-image // block) - 1)
    return {
        1: 1, 2: v.ascii(1, 32), 3: v.uint(), 4: v.bytes(32), 5: image, 6: v.uint(1), 7: 0,
        8: v.ascii(1, 32), 9: block, 10: v.bytes(32), 11: payload, 12: 0,
    }


def extended(v):
    return {1: 2, 2: v.bytes(1, 304), 3: v.bytes(16), 4: v.bytes(16), 5: v.uint()}


def certificate(v):
    return {1: 3, 2: v.uint(1), 3: v.bytes(64), 4: v.ascii(1, 32)}


def token(v):
    message = {
        1: v.bytes(16), 2: v.uint(), 3: v.bytes(16), 4: v.ascii(1, 32), 5: v.ascii(1, 32),
        6: v.uint(), 7: v.uint(1, 2**24), 8: v.uint(256, 4096), 9: v.uint(64, 65536),
        10: v.uint(16, 32768), 11: v.uint(1, 86400), 12: v.bytes(8),
    }
    if v.bool():
        message[13] = v.bytes(8)
    if v.bool():
        message[14], message[15] = v.bytes(32), v.uint()
    if v.bool():
        message[16] = v.uint(1, 2)
        if message[16] == 2:
            message[17] = v.uint(1, 5000)
    return message


def announcement(v):
    message = {
        1: 1, 2: v.bytes(16), 3: v.bytes(32), 4: v.uint(1, 65535), 5: v.uint(), 6: v.bool(), 7: 0,
        9: v.bytes(8),
    }
    if v.bool():
        message[7], message[8] = v.uint(1), v.bytes(8)
    return message


def piece(v):
    return {1: v.bytes(8), 2: v.uint(0, 1023), 3: v.bool(), 4: v.bytes(1, 1024)}


def reply(v):
    message = {1: v.random.choice([10, 60, 61, 62]), 2: v.bytes(32)}
    if message[1] == 10 and v.bool():
        message[3] = v.bytes(1, 206)
    if v.bool():
        message[4] = v.utf8(120)
    return message


def request(v):
    message = {1: v.ascii(1, 32)}
    if v.bool():
        message[2] = [v.scalar() for _ in range(v.random.randint(1, 16))]
    return message


def response(v):
    message = {1: v.uint(1, 99) if v.bool() else v.utf8(64)}
    if v.bool():
        message[2] = v.item(4)
    return message


def report(v):
    reason = v.uint(0, 31)
    return {
        1: v.bytes(16), 2: v.uint(), 3: 51 if reason else 50, 4: v.bytes(32), 5: reason,
        6: v.uint(0, 255),
    }


def acknowledgement(v):
    following = v.uint()
    return [v.uint(0, 65535), v.uint(0, 65535), following, v.uint(following), v.uint(1, 99)]


def slice_of_payload(v):
    return [v.uint(0, 65535), v.uint(0, 65535), v.uint(), v.bytes(1, 2000)]


def sign1(v):
    protected = cbor2.dumps({1: -7, 4: v.bytes(8)}, canonical=True)
    return cbor2.CBORTag(18, [protected, {}, v.bytes(1, 1024), v.bytes(64)])


MESSAGES = {
    "manifest": manifest,
    "extended manifest": extended,
    "certificate": certificate,
    "token": token,
    "announcement": announcement,
    "piece": piece,
    "bootstrap reply": reply,
    "presence": lambda v: {1: v.bool()},
    "request": request,
    "response": response,
    "report": report,
    "acknowledgement": acknowledgement,
    "slice": slice_of_payload,
    "COSE_Sign1": sign1,
}


class Cbor2(unittest.TestCase):
    program = None

    def setUp(self):
        self.peer = Peer(self.program)
        self.values = Values(SEED)

    def tearDown(self):
        self.assertEqual(self.peer.close(), 0)

    def test_both_write_the_same_bytes_and_read_the_same_values(self):
        for name, make in MESSAGES.items():
            for number in range(ROUNDS):
                with self.subTest(message=name, number=number, seed=SEED):
                    value = make(self.values)
                    written = cbor2.dumps(value, canonical=True)
                    again = self.peer.ask(name, written)
                    self.assertEqual(again, written.hex())
                    self.assertEqual(cbor2.loads(bytes.fromhex(again)), value)

    def test_keys_in_another_order_are_refused(self):
        for name, make in MESSAGES.items():
            value = make(self.values)
            if not isinstance(value, dict) or len(value) < 2:
                continue
            turned = dict(reversed(list(value.items())))
            self.assertEqual(self.peer.ask(name, cbor2.dumps(turned)), "format", name)

    def test_an_unknown_key_is_refused(self):
        for name, make in MESSAGES.items():
            value = make(self.values)
            if not isinstance(value, dict):
                continue
            for key in (0, 20, 24, -1, "1", b"1", None):
                written = cbor2.dumps({**value, key: 1}, canonical=True)
                self.assertEqual(self.peer.ask(name, written), "format", (name, key))

    def test_values_of_kinds_that_mup_does_not_use_are_refused(self):
        for value in (1.5, float("nan"), 2**32, -(2**32) - 1, 2**70, cbor2.undefined,
                      cbor2.CBORTag(18, 1), cbor2.CBORSimpleValue(99)):
            for wrapped in (value, [value], {1: value}):
                written = cbor2.dumps({1: 10, 2: wrapped}, canonical=True)
                self.assertEqual(self.peer.ask("response", written), "format", value)


if __name__ == "__main__":
    Cbor2.program = sys.argv.pop(1)
    unittest.main()
