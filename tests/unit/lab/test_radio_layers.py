#!/usr/bin/python3
"""lab/bench/radio_layers.py counts each byte of a device's frames once, in the layer that it is of.

    test_radio_layers.py FOLDER-OF-BENCHES

The capture is that of test_dissect.py: neighbours find each other, TCP connects, CONNECT in three
fragments, CONNACK, a PUBLISH in two. The expected numbers are counted in those bytes by hand.
Exits with 77 without tshark.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing is left in the folders of the sources
from test_dissect import DOWN, UP, check, good_frames, segment

DEVICE = "3e:15:8e:e4:cd:cb:08:e0"
ROUTER = "02:00:00:00:00:00:00:01"
CONNECT_LAST, CONNACK, PUBLISH_LAST = 7, 8, 10
STEP_US = 1000
NOTHING = {"mac": 0, "6lowpan": 0, "tcp": 0, "again": 0, "unfinished": 0,
           "mqtt": {"header": 0, "topic": 0, "properties": 0, "payload": 0, "other": 0}}

# What the good capture has. Out: TCP's SYN (24 bytes with its option), an acknowledgement, CONNECT.
OUT = {"mac": 23 * 5, "6lowpan": 3 + 3 + (4 + 3) + 5 + 5, "tcp": 24 + 20 + 20, "again": 0, "unfinished": 0,
       "mqtt": {"header": 0, "topic": 0, "properties": 0, "payload": 0, "other": 197}}
# In: a neighbour's advertisement, SYN, CONNACK, PUBLISH: 32 63, topic 00 32 ..., packet identifier,
# 05 02 0000003c, 39 bytes of CBOR.
IN = {"mac": 23 * 5, "6lowpan": 43 + 3 + 3 + (4 + 3) + 5, "tcp": 24 + 20 + 20, "again": 0, "unfinished": 0,
      "mqtt": {"header": 4, "topic": 52, "properties": 6, "payload": 39, "other": 16}}


def with_more(layers, **more):
    """Those layers with more in some of them; mqtt_topic=3 is in the part of MQTT."""
    made = {**layers, "mqtt": dict(layers["mqtt"])}
    for name, size in more.items():
        if name.startswith("mqtt_"):
            made["mqtt"][name[5:]] += size
        else:
            made[name.replace("lowpan", "6lowpan")] += size
    return made


def acknowledgement(number):
    return bytes([2, 0, number])


class Layers(unittest.TestCase):
    def capture(self, frames, checks=None):
        file = tempfile.NamedTemporaryFile(suffix=".pcap")
        self.addCleanup(file.close)
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 256, 195))
        for number, frame in enumerate(frames):
            psdu = frame + (checks or {}).get(number, check(frame))
            file.write(struct.pack("<IIII", 100, STEP_US * number, len(psdu), len(psdu)) + psdu)
        file.flush()
        return file.name

    def analyse(self, frames, checks=None, addresses=(DEVICE,), **window):
        return radio_layers.analyse(self.capture(frames, checks), set(addresses), **window)

    def assert_sums(self, sides):
        for side in sides.values():
            layers = side["layers"]
            total = sum(size for layer, size in layers.items() if layer != "mqtt") + sum(layers["mqtt"].values())
            self.assertEqual(total, side["bytes"])

    def test_each_byte_is_in_its_layer(self):
        sides = self.analyse(good_frames())
        self.assertEqual(sides["out"]["layers"], OUT)
        self.assertEqual(sides["in"]["layers"], IN)
        self.assertEqual((sides["out"]["frames"], sides["out"]["bytes"]), (5, 50 + 46 + 126 + 124 + 53))
        self.assertEqual((sides["in"]["frames"], sides["in"]["bytes"]), (5, 66 + 50 + 62 + 126 + 53))
        self.assertEqual(sides["out"]["multicast"], {"frames": 1, "bytes": 66})
        self.assertEqual(sides["in"]["multicast"], {"frames": 0, "bytes": 0})
        self.assertEqual((sides["in"]["publishes"], sides["out"]["publishes"]), (1, 0))
        self.assertEqual(sides["out"]["segments"], {"without_data": {"frames": 2, "bytes": 50 + 46},
                                                    "with_data": {"frames": 3, "bytes": 126 + 124 + 53}})
        self.assert_sums(sides)

    def test_the_other_end_sees_the_same_the_other_way_round(self):
        sides = self.analyse(good_frames(), addresses=[ROUTER])
        self.assertEqual((sides["in"]["layers"], sides["out"]["layers"]), (OUT, IN))
        self.assertEqual(sides["in"]["multicast"], {"frames": 1, "bytes": 66})

    def test_a_stranger_has_nothing(self):
        sides = self.analyse(good_frames(), addresses=["00:11:22:33:44:55:66:77"])
        self.assertEqual((sides["in"]["layers"], sides["out"]["layers"]), (NOTHING, NOTHING))

    def test_only_frames_in_the_window_count_and_the_rest_explains_them(self):
        begin, end = 100 + (PUBLISH_LAST - 1) * STEP_US / 1e6, 100 + PUBLISH_LAST * STEP_US / 1e6
        sides = self.analyse(good_frames(), begin=begin, end=end)
        # The first fragment of the PUBLISH: 76 bytes of it, of which 14 are of the payload.
        self.assertEqual(sides["in"]["layers"], with_more(NOTHING, mac=23, lowpan=7, tcp=20, mqtt_header=4, mqtt_topic=52,
                                                          mqtt_properties=6, mqtt_payload=14))
        self.assertEqual(sides["out"]["layers"], NOTHING)
        self.assertEqual(sides["in"]["publishes"], 1)
        sides = self.analyse(good_frames(), begin=end)
        self.assertEqual(sides["in"]["layers"], with_more(NOTHING, mac=23, lowpan=5, mqtt_payload=25))
        self.assertEqual(sides["in"]["publishes"], 0)

    def test_a_retry_is_counted_like_its_frame_and_as_a_retry(self):
        frames = good_frames()
        again = frames[:7] + [frames[6]] + frames[7:10] + [frames[9]] + frames[10:]
        sides = self.analyse(again)
        self.assertEqual(sides["out"]["layers"], with_more(OUT, mac=23, lowpan=5, mqtt_other=96))
        self.assertEqual(sides["out"]["retries"], {"frames": 1, "bytes": 124})
        self.assertEqual(sides["in"]["layers"], with_more(IN, mac=23, lowpan=7, tcp=20, mqtt_header=4, mqtt_topic=52,
                                                          mqtt_properties=6, mqtt_payload=14))
        self.assertEqual(sides["in"]["retries"], {"frames": 1, "bytes": 126})
        self.assertEqual(sides["in"]["publishes"], 1)
        self.assert_sums(sides)

    def test_a_retry_in_the_window_is_known_by_its_frame_before_it(self):
        frames = good_frames()
        sides = self.analyse(frames + [frames[10]], begin=100 + len(frames) * STEP_US / 1e6)
        self.assertEqual(sides["in"]["layers"], with_more(NOTHING, mac=23, lowpan=5, mqtt_payload=25))
        self.assertEqual(sides["in"]["retries"], {"frames": 1, "bytes": 53})

    def test_a_retry_after_a_frame_of_another_is_one(self):
        frames = good_frames()
        sides = self.analyse(frames[:7] + [frames[8], frames[6]] + frames[7:8] + frames[9:])
        self.assertEqual(sides["out"]["retries"], {"frames": 1, "bytes": 124})
        self.assertEqual(sides["in"]["retries"], {"frames": 0, "bytes": 0})

    def test_the_next_frame_with_the_same_number_is_no_retry(self):
        frames = good_frames() + [segment(UP, CONNECT_LAST, 0x1a33, 0x19e4, bytes.fromhex("c000"))]
        sides = self.analyse(frames)
        self.assertEqual(sides["out"]["layers"], with_more(OUT, mac=23, lowpan=3, tcp=20, mqtt_other=2))
        self.assertEqual(sides["out"]["retries"]["frames"], 0)

    def test_what_tcp_sends_again_is_not_mqtts(self):
        frames = good_frames()
        connack = frames[CONNACK][:2] + bytes([0x77]) + frames[CONNACK][3:]
        sides = self.analyse(frames + [connack])
        self.assertEqual(sides["in"]["layers"], with_more(IN, mac=23, lowpan=3, tcp=20, again=16))
        self.assertEqual(sides["in"]["retries"]["frames"], 0)
        self.assert_sums(sides)

    def test_a_segment_of_old_and_new_bytes_is_split(self):
        ping = bytes.fromhex("c000")
        answers = good_frames() + [segment(DOWN, 11, 0x19e4, 0x1a33, bytes.fromhex("d000")),
                                   segment(DOWN, 12, 0x19e4, 0x1a33, bytes.fromhex("d000d000d000"))]
        sides = self.analyse(answers + [segment(UP, 13, 0x1a33, 0x19ea, ping)])
        self.assertEqual(sides["in"]["layers"], with_more(IN, mac=46, lowpan=6, tcp=40, again=2, mqtt_other=6))
        self.assertEqual(sides["out"]["layers"], with_more(OUT, mac=23, lowpan=3, tcp=20, mqtt_other=2))

    def test_acknowledgements_of_the_mac_stand_apart_with_who_sent_them(self):
        frames = good_frames()
        out = [acknowledgement(frames[PUBLISH_LAST][2])]
        stray = [acknowledgement(0x55)]
        coming = [acknowledgement(frames[4][2])]
        sides = self.analyse(frames[:5] + coming + frames[5:6] + stray + frames[6:] + out + out)
        self.assertEqual(sides["in"]["acks"], {"frames": 1, "bytes": 5})
        self.assertEqual(sides["out"]["acks"], {"frames": 1, "bytes": 5})
        self.assertEqual((sides["out"]["layers"], sides["in"]["layers"]), (OUT, IN))

    def test_a_topic_alias_makes_an_empty_topic(self):
        named = bytes.fromhex("300f" "000774" "2f6465766963" "03230005" "6162")
        by_alias = bytes.fromhex("3008" "0000" "03230005" "6162")
        frames = good_frames() + [segment(UP, 11, 0x1a33, 0x19e4, named + by_alias[:3]),
                                  segment(UP, 12, 0x1a33 + 20, 0x19e4, by_alias[3:])]
        sides = self.analyse(frames)
        self.assertEqual(sides["out"]["layers"], with_more(OUT, mac=46, lowpan=6, tcp=40, mqtt_header=4, mqtt_topic=9 + 2,
                                                           mqtt_properties=8, mqtt_payload=4))
        self.assertEqual((sides["out"]["publishes"], sides["out"]["publishes_by_alias"]), (2, 1))

    def test_addresses_of_16_bits(self):
        """The header is 12 bytes shorter, and IPHC takes the addresses from it."""
        frames = []
        for number, frame in enumerate(good_frames()):
            header = {UP: "6188%02xcdab01000200", DOWN: "6188%02xcdab02000100"}
            for long, short in header.items():
                if frame[3:21] == bytes.fromhex(long % 0)[3:]:
                    frame = bytes.fromhex(short % number) + frame[21:]
            frames.append(frame)
        # The checksum of TCP is over addresses that are gone; what is in which layer is the same.
        sides = self.analyse(frames, addresses=["0x0002"])
        self.assertEqual(sides["out"]["layers"], {**OUT, "mac": 11 * 5})
        self.assertEqual(sides["in"]["layers"], {**IN, "mac": 11 * 5})

    def test_a_datagram_that_never_came_together_is_unfinished(self):
        frames = good_frames()
        del frames[PUBLISH_LAST - 1]
        sides = self.analyse(frames)
        self.assertEqual(sides["in"]["layers"]["unfinished"], 53 - 23)
        self.assertEqual(sides["in"]["layers"]["mqtt"]["payload"], 0)
        self.assert_sums(sides)

    def test_a_damaged_frame_is_unfinished(self):
        frames = good_frames()
        sides = self.analyse(frames, {PUBLISH_LAST: b"\0\0"})
        self.assertEqual(sides["in"]["layers"]["unfinished"], 126 + 53 - 2 * 23)
        self.assert_sums(sides)

    def test_an_unfinished_message_is_other(self):
        frames = good_frames() + [segment(UP, 11, 0x1a33, 0x19e4, bytes.fromhex("300f000774"))]
        self.assertEqual(self.analyse(frames)["out"]["layers"]["mqtt"], {**OUT["mqtt"], "other": 197 + 5})

    def test_what_is_no_capture_is_named(self):
        for content in (b"", b"no capture, but longer than a header of one", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 256, 1)):
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                with self.assertRaisesRegex(OSError, "not a capture"):
                    radio_layers.analyse(file.name, {DEVICE})

    def run_command(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(folder, "radio_layers.py"), *arguments],
                              capture_output=True, text=True, check=False)

    def test_the_command_prints_the_same(self):
        path = self.capture(good_frames())
        done = self.run_command("--json", path, DEVICE.replace(":", ""))
        self.assertEqual(json.loads(done.stdout), radio_layers.analyse(path, {DEVICE}))
        done = self.run_command("--from", "100.009", "--short", "0x0002", path, DEVICE)
        self.assertIn("mqtt topic                        52           0", done.stdout)

    def test_the_command_refuses_what_is_wrong(self):
        for arguments in (["capture", "3e"], ["--short", "65534", "capture", DEVICE], ["capture"]):
            self.assertEqual(self.run_command(*arguments).returncode, 2)
        done = self.run_command("/nonexistent", DEVICE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)


if __name__ == "__main__":
    if shutil.which("tshark") is None:
        sys.exit(77)
    folder = sys.argv.pop()
    sys.path.insert(0, folder)
    import radio_layers  # pylint: disable=import-error
    unittest.main()
