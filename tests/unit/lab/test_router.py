#!/usr/bin/python3
"""The border router outlives whatever a device sends (lab/router).

    test_router.py MUP_ROUTER

A device is a socket here. After each bad frame the router must still answer a neighbour solicitation;
lwIP's own checks are on in it, so that a buffer that is given back twice ends it.
"""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

DEADLINE_S = 30
ROUTER = bytes([2, 0, 0, 0, 0, 0, 0, 1])  # EUI-64s, first byte first
DEVICE = bytes([2, 0x5a, 3, 0x69, 4, 0x78, 5, 0x87])
ROUTER_IP = bytes.fromhex("fe800000000000000000000000000001")
DEVICE_IP = bytes.fromhex("fe80000000000000005a036904780587")
ROUTER_SHORT = 0x0001
DEVICE_SHORT = 0x1234
PAN = b"\xcd\xab"


def fcs(frame):
    """IEEE 802.15.4-2020, 7.2.11."""
    check = 0
    for byte in frame:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    return struct.pack("<H", check)


def framed(payload, control=0xcc41, destination=ROUTER[::-1], source=DEVICE[::-1]):
    """A frame with that behind its MAC header (7.2.2), as it is on the socket."""
    frame = struct.pack("<HB", control, 7) + PAN + destination + source + payload
    return bytes([len(frame) + 2]) + frame + fcs(frame)


def short_ip(address):
    """RFC 4944 section 6."""
    return bytes.fromhex("fe80000000000000000000fffe00") + struct.pack(">H", address)


def between_shorts(payload):
    return framed(payload, 0x8841, struct.pack("<H", ROUTER_SHORT), struct.pack("<H", DEVICE_SHORT))


def checksum(payload, source, destination):
    """Of ICMPv6 (RFC 4443 section 2.3)."""
    data = source + destination + struct.pack(">II", len(payload), 58) + payload
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


def solicitation(source=DEVICE_IP, destination=ROUTER_IP):
    """For the router's address (RFC 4861 section 4.3, RFC 4944 section 8, RFC 3971 section 5.3.2), as an IPv6
    datagram."""
    nonce = bytes([14, 2]) + bytes(range(1, 15))
    message = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + destination + bytes([1, 2]) + DEVICE + bytes(6) + nonce
    message = message[:2] + checksum(message, source, destination) + message[4:]
    return bytes([0x60, 0, 0, 0]) + struct.pack(">HBB", len(message), 58, 255) + source + destination + message


def fragments(datagram, tag=0x0107):
    """RFC 4944 section 5.3: the first 80 bytes, 8 more, and the rest."""
    size = len(datagram)
    yield framed(struct.pack(">HH", 0xc000 | size, tag) + b"\x41" + datagram[:80])
    yield framed(struct.pack(">HHB", 0xe000 | size, tag, 80 // 8) + datagram[80:88])
    yield framed(struct.pack(">HHB", 0xe000 | size, tag, 88 // 8) + datagram[88:])


def first(datagram_size, content):
    return framed(struct.pack(">HH", 0xc000 | datagram_size, 0x0203) + content)


BAD = {
    "a first fragment of an unknown dispatch": first(200, b"\x42" + bytes(40)),
    "its second": framed(struct.pack(">HHB", 0xe000 | 200, 0x0203, 6) + bytes(40)),
    "a first fragment whose addresses need a context": first(200, b"\x7b\x77\x06" + bytes(40)),
    "a first fragment whose next header is compressed in an unknown way": first(200, b"\x7f\x33\x06" + bytes(40)),
    "a first fragment that ends within its header": first(200, b"\x60\x00\x06"),
    "a first fragment of nothing": first(0, b"\x7b\x77\x06" + bytes(40)),
    "a first fragment of less than a header": first(39, b"\x7b\x77\x06" + bytes(40)),
    "a whole datagram whose addresses need a context": framed(b"\x7b\x77\x06" + bytes(40)),
    "a fragment without content": framed(b"\xe0\xc8\x02\x03"),
    "nothing behind the MAC header": framed(b""),
    "a frame of three bytes, good as it is": b"\x03\x02" + fcs(b"\x02"),
    "a broken check sequence": framed(b"\x7b\x33\x06" + bytes(20))[:-1] + b"\x00",
}


class Router:
    def __init__(self, folder):
        path = os.path.join(folder, "radio")
        self.process = subprocess.Popen([sys.argv[1], "--radio", path, "--broker", "1"], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"router ready\n"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def answers(self, frames, header_size=21):
        """Sends; true when the router's neighbour advertisement comes, with a MAC header of that size, false when
        the router has ended."""
        try:
            self.socket.sendall(frames)
            while True:
                size = self.file.read(1)
                if not size:
                    return False
                if b"\x88" in self.file.read(size[0])[header_size:header_size + 5]:  # compressed header, then its type
                    return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.file.close()
        self.socket.close()


class RouterTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def router(self):
        router = Router(self.folder)
        self.addCleanup(router.end)
        return router

    def test_a_solicitation_is_answered_whole_and_in_fragments_of_any_order(self):
        router = self.router()
        self.assertTrue(router.answers(framed(b"\x41" + solicitation())))
        one, two, three = fragments(solicitation())
        self.assertTrue(router.answers(one + two + three))
        self.assertTrue(router.answers(one + three + two))

    def test_16_bit_addresses_are_answered_from_one_to_one(self):
        router = self.router()
        whole = solicitation(short_ip(DEVICE_SHORT), short_ip(ROUTER_SHORT))
        self.assertTrue(router.answers(between_shorts(b"\x41" + whole), header_size=9))
        self.assertTrue(router.answers(framed(b"\x41" + solicitation())))
        self.assertTrue(router.answers(between_shorts(b"\x41" + whole), header_size=9))

    def test_bad_frames_end_nothing(self):
        for name, frame in BAD.items():
            with self.subTest(name):
                router = self.router()
                for _ in range(3):
                    self.assertTrue(router.answers(frame + framed(b"\x41" + solicitation())))
                router.end()

    def refusal(self, path):
        done = subprocess.run([sys.argv[1], "--radio", path, "--broker", "1"], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        return done.stderr

    def test_a_socket_that_a_killed_router_left_is_replaced(self):
        self.router().end()
        self.assertTrue(self.router().answers(framed(b"\x41" + solicitation())))

    def test_a_socket_in_use_and_a_file_are_left_alone(self):
        router = self.router()
        self.assertIn("another router serves this socket", self.refusal(os.path.join(self.folder, "radio")))
        self.assertTrue(router.answers(framed(b"\x41" + solicitation())))
        path = os.path.join(self.folder, "vendor.key")
        with open(path, "w") as file:
            file.write("secret")
        self.assertIn("vendor.key: a file of this name is there and is no socket", self.refusal(path))
        with open(path) as file:
            self.assertEqual(file.read(), "secret")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
