#!/usr/bin/python3
"""lab/router/dissect takes a good capture for good, and names each fault that is put into it.

    test_dissect.py DISSECT

The capture is the begin of a device's conversation, as bytes: neighbours find each other, TCP
connects, CONNECT in three fragments, CONNACK, a PUBLISH. Exits with 77 without tshark.
"""
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

# MAC headers of IEEE 802.15.4-2020 7.2: data, PAN 0xabcd, from the device and from the router.
UP = "61cc%02xcdab0100000000000002e008cbcde48e153e"
DOWN = "61cc%02xcdabe008cbcde48e153e0100000000000002"
ALL = "41c8%02xcdabffffe008cbcde48e153e"

# IPHC of RFC 6282 (both addresses left out, next header inline, hop limit 64 or 255), then ICMPv6 or TCP.
FRAMES = [
    (ALL, "7b393a0201ff0000018700374700000000fe80000000000000000000000000000101023e158ee4cdcb08e0000000000000"),
    (DOWN, "7b333a8800766f60000000fe80000000000000000000000000000102020200000000000001000000000000"),
    (UP, "7b3306e93f075b0000196d0000000060020430eee2000002040218"),
    (DOWN, "7b3306075be93f0000196e0000196e60122620b0c70000020404c4"),
    (UP, "7b3306e93f075b0000196e0000196f50100430e9840000"),
    (UP, "c10100017b3306e93f075b0000196e0000196f50180430864b000010c20100044d51545405ec001e10110001518021000127"
         "0000110f220008002436626263646561322d376431372d343164392d613863622d6162366330376537333964610000316d75"
         "702f70"),
    (UP, "e101000111726573656e63652f36626263646561322d376431372d343164392d613863622d61623663303765373339646100"
         "03a101f4002436626263646561322d376431372d343164392d613863622d6162366330376537333964610020323161313534"
         "63"),
    (UP, "e10100011d32343933663161666662323561636363316161656461623434"),
    (DOWN, "7b3306075be93f0000196f00001a335018255b650d0000200e00000b22000a2700100000210014"),
    (DOWN, "c0a100017b3306075be93f000019ab00001c3850182620e3b50000326300326d75702f626f6f7473747261702f3662626364"
           "6561322d376431372d343164392d613863622d616236633037653733396461000105020000003ca201183c025820af69f6ae"
           "0bd7d1"),
    (DOWN, "e0a1000111bcecb6733c95788fdc268f73ad9de5c35c4204899a31a453c3"),
]
PUBLISH = 9
FRAGMENT = 6
MAC_SIZE = 21


def check(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def tcp_checksum(datagram):
    """The checksum of TCP over fe80::1 to the device; its own field is zero."""
    pseudo = bytes.fromhex("fe800000000000000000000000000001" "fe800000000000003c158ee4cdcb08e0")
    pseudo += struct.pack(">IHBB", len(datagram), 0, 0, 6)
    total = sum(struct.unpack(f">{(len(pseudo + datagram) + 1) // 2}H", pseudo + datagram + b"\0" * (len(datagram) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


def good_frames():
    frames = [bytes.fromhex(header % number) + bytes.fromhex(rest) for number, (header, rest) in enumerate(FRAMES)]
    # The PUBLISH is of a later moment: as if it came right behind the CONNACK.
    first, rest = frames[PUBLISH], frames[PUBLISH + 1]
    at = MAC_SIZE + 4 + 3  # behind the fragment's header and IPHC
    moved = bytearray(first[at:] + rest[MAC_SIZE + 5:])
    moved[4:12] = struct.pack(">II", 0x197f, 0x1a33)
    moved[16:18] = b"\0\0"
    moved[16:18] = tcp_checksum(bytes(moved))
    frames[PUBLISH] = first[:at] + bytes(moved[:len(first) - at])
    return frames


def segment(header, number, at, acknowledged, content):
    """A segment of that conversation in one frame."""
    ports = "e93f075b" if header == UP else "075be93f"
    made = bytearray(bytes.fromhex(ports) + struct.pack(">IIIHH", at, acknowledged, 0x50180430, 0, 0) + content)
    made[16:18] = tcp_checksum(bytes(made))
    return bytes.fromhex(header % number + "7b3306") + bytes(made)


def acknowledgement(number):
    return bytes([2, 0, number])


class Dissect(unittest.TestCase):
    def judge(self, frames, checks=None, cut=0, options=()):
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 256, 195))
            for number, frame in enumerate(frames):
                psdu = frame + (checks or {}).get(number, check(frame))
                file.write(struct.pack("<IIII", 1, 1000 * number, len(psdu), len(psdu)) + psdu)
            file.truncate(file.tell() - cut)
            file.flush()
            done = subprocess.run([dissect, *options, file.name], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def assert_named(self, faults, frames, checks=None):
        code, said = self.judge(frames, checks)
        self.assertEqual(code, 1, said)
        for fault in faults:
            self.assertIn(fault, said)

    def test_a_good_capture_is_good(self):
        code, said = self.judge(good_frames())
        self.assertEqual(code, 0, said)
        self.assertIn("11 frames, 5 of them fragments of 2 datagrams; 2 paddings", said)
        self.assertIn("mup/bootstrap 1", said)

    def test_it_may_end_within_a_datagram_and_within_a_frame(self):
        frames = good_frames()
        another = frames[5].replace(b"\xc1\x01\x00\x01", b"\xc1\x01\x00\x02")
        code, said = self.judge(frames + [another] + frames[:1], cut=10)
        self.assertEqual(code, 0, said)

    def test_each_fault_of_a_frame_is_named(self):
        frames = good_frames()
        frames[0] = frames[0][:-1] + b"\xa5"                                  # the last byte of padding
        frames[1] = frames[1][:-6] + b"\x5a" + frames[1][-5:]                 # the first
        frames[3] = frames[3][:MAC_SIZE] + b"\x3b" + frames[3][MAC_SIZE + 1:]  # no dispatch of 6LoWPAN
        frames[4] = frames[4][:30]                                            # within the header of TCP
        frames[8] = frames[8][:-1] + bytes([frames[8][-1] ^ 4])               # a bit of what TCP carries
        wrong = {2: bytes([check(frames[2])[0] ^ 1]) + check(frames[2])[1:]}
        self.assert_named(["is not zero: 0000000000a5", "is not zero: 5a0000000000", "check sequence is wrong (frame 3)",
                           "not IEEE 802.15.4 with 6LoWPAN in it (frame 3, 4)", "malformed frame (frame 5)",
                           "Bad checksum"], frames, wrong)

    def count(self, frames, *options):
        code, said = self.judge(frames, options=("--json", *options))
        counted = json.loads(said)
        self.assertEqual(code, bool(counted["problems"]), said)
        return counted

    def test_what_the_mac_added_is_counted_and_left_out_of_what_is_judged(self):
        frames = []
        for number, frame in enumerate(good_frames()):
            frames += [frame] * (3 if number == 5 else 2 if number == 8 else 1)
            frames += [acknowledgement(number)] * (number > 0)
        counted = self.count(frames)
        self.assertEqual(counted["problems"], [])
        # The sizes of FRAMES with MAC headers of 21 bytes, 15 to all, and 2 bytes of check sequence.
        self.assertEqual(counted["down"], {
            "data": {"frames": 5, "bytes": 66 + 50 + 62 + 126 + 53}, "retries": {"frames": 1, "bytes": 62},
            "acks": {"frames": 5, "bytes": 25}, "broadcast": {"frames": 0, "bytes": 0}})
        self.assertEqual(counted["up"], {
            "data": {"frames": 5, "bytes": 50 + 46 + 126 + 124 + 53}, "retries": {"frames": 2, "bytes": 252},
            "acks": {"frames": 5, "bytes": 25}, "broadcast": {"frames": 1, "bytes": 66}})
        self.assertEqual(counted["tcp"], {"connections": 1, "segments": 3, "again": 0, "spurious": 0})

    def test_a_frame_that_comes_again_with_another_number_is_counted_and_not_judged(self):
        frames = good_frames()
        again = frames[8][:2] + bytes([0x88]) + frames[8][3:]
        counted = self.count(frames[:9] + [frames[8], again] + frames[9:])
        self.assertEqual(counted["problems"], [])
        self.assertEqual((counted["down"]["data"]["frames"], counted["down"]["retries"]["frames"]), (6, 1))
        self.assertEqual(counted["tcp"]["again"], 0)

    def test_a_window_of_time_counts_what_began_in_it_and_judges_all(self):
        counted = self.count(good_frames(), "--from", "1.003", "--to", "1.004")
        self.assertEqual((counted["down"]["data"]["frames"], counted["up"]["data"]["frames"]), (1, 1))
        self.assertEqual(counted["publishes"], 1)
        self.assertEqual(self.count(good_frames(), "--from", "2")["down"]["data"]["frames"], 0)

    def test_between_16_bit_addresses_the_router_is_known_too(self):
        frame = bytes.fromhex("6188" "00" "cdab" "0100" "3412" "7b3306")
        back = bytes.fromhex("6188" "01" "cdab" "3412" "0100" "7b3306")
        counted = self.count([frame, acknowledgement(0), back, back, acknowledgement(1)])
        self.assertEqual({way: {kind: counted[way][kind]["frames"] for kind in ("data", "retries", "acks")} for way in ("down", "up")},
                         {"down": {"data": 1, "retries": 1, "acks": 1}, "up": {"data": 1, "retries": 0, "acks": 1}})

    def test_where_frames_are_lost_what_is_missing_is_no_fault(self):
        frames = good_frames()
        later = segment(DOWN, 12, 0x19e4, 0x1a33, bytes.fromhex("3004" "000174" "00"))
        again = [frames[at][:2] + bytes([32 + at]) + frames[at][3:] for at in (9, 10)]
        again = [frame.replace(bytes.fromhex("a10001"), bytes.fromhex("a10002")) for frame in again]
        frames = frames[:10] + [later] + again  # a fragment was lost: TCP sent all again, behind what came next
        self.assertNotEqual(self.count(frames)["problems"], [])
        counted = self.count(frames, "--lossy")
        self.assertEqual((counted["problems"], counted["publishes"]), ([], 2))
        frames[3] = frames[3][:MAC_SIZE] + b"\x3b" + frames[3][MAC_SIZE + 1:]
        self.assertNotEqual(self.count(frames, "--lossy")["problems"], [])

    def test_a_fault_is_named_by_the_frames_number_in_the_capture(self):
        frames = good_frames()
        frames[4] = frames[4][:30]
        frames = frames[:1] + [frames[1], frames[1], acknowledgement(1)] + frames[2:]
        self.assert_named(["malformed frame (frame 7)"], frames)

    def test_a_missing_fragment_is_named(self):
        frames = good_frames()
        del frames[FRAGMENT]
        del frames[PUBLISH]  # the last fragment of all, which may still come
        after = good_frames()[2][:MAC_SIZE] + bytes.fromhex("c0a10002" "7b3306e93f075b")
        self.assert_named(["never came together (frame 6, 7)"], frames + [after])

    def test_what_is_sent_again_although_it_was_acknowledged_is_named(self):
        frames = good_frames()
        self.assert_named(["although it was acknowledged"], frames[:9] + frames[5:8] + frames[9:])

    def test_a_capture_without_messages_is_named(self):
        self.assert_named(["no PUBLISH"], good_frames()[:PUBLISH])
        self.assert_named(["no CONNECT of MQTT"], good_frames()[:5])
        self.assert_named(["no frame"], [])

    def test_faults_of_mqtt_are_named(self):
        frames = good_frames()
        frames[5] = frames[5].replace(b"\x04MQTT\x05", b"\x04MQTT\x04")
        frames.append(segment(UP, 11, 0x1a33, 0x19e4, bytes.fromhex("400100")))  # a PUBACK with half an identifier
        self.assert_named(["MQTT of version 4", "malformed MQTT"], frames)

    def test_a_segment_may_end_within_the_length_of_a_message(self):
        frames = good_frames()
        message = bytes.fromhex("308001" "000174" "00") + bytes(124)
        for begin, end in ((0, 2), (2, 66), (66, len(message))):
            frames.append(segment(DOWN, 11, 0x19e4 + begin, 0x1a33, message[begin:end]))
        code, said = self.judge(frames)
        self.assertEqual(code, 0, said)
        self.assertIn("2 PUBLISH", said)

    def test_what_is_no_capture_cannot_be_read(self):
        done = subprocess.run([dissect, __file__], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("isn't a capture file", done.stderr)


if __name__ == "__main__":
    if shutil.which("tshark") is None:
        sys.exit(77)
    dissect = sys.argv.pop()
    unittest.main()
