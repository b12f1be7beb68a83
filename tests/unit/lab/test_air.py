#!/usr/bin/python3
"""mup-router --air: time passes, what is lost is sent again, and the control socket says so.

    test_air.py MUP_ROUTER

A device is a socket here. What the router counts is held against its capture.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from test_router import (DEADLINE_S, DEVICE, DEVICE_SHORT, ROUTER, ROUTER_SHORT, between_shorts, fcs, framed, short_ip,
                         solicitation)

# IEEE 802.15.4-2020: 6 octets of synchronisation and length, 32 us each (table 12-1, clause 11.3, 12.3.3)
OCTET_US = 32
ACK_SIZE = 5
TURNAROUND_US = 192
RETRIES = 3  # macMaxFrameRetries, table 8-94
REQUEST = framed(b"\x41" + solicitation(), control=0xcc61)  # with the acknowledgement request bit


def numbered(number):
    """The request with another sequence number."""
    frame = REQUEST[1:3] + bytes([number]) + REQUEST[4:-2]
    return REQUEST[:1] + frame + fcs(frame)


def given_up(node):
    return node["drops"]["no_ack"] + node["drops"]["channel"]


def airtime_us(size):
    return (6 + size) * OCTET_US


SENT_US = airtime_us(len(REQUEST) - 1) + airtime_us(ACK_SIZE)  # the request, and the acknowledgement of its answer


class Air:
    def __init__(self, folder, *options):
        self.radio = os.path.join(folder, "radio")
        self.capture = os.path.join(folder, "radio.pcap")
        self.path = os.path.join(folder, "control")
        self.process = subprocess.Popen(
            [sys.argv[1], "--radio", self.radio, "--broker", "1", "--capture", self.capture, "--air", "--control",
             self.path, *options], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"router ready\n"
        self.control = self.connect(self.path)
        self.answers = self.control.makefile("rb")

    def connect(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE_S)
        connection.connect(path)
        return connection

    def ask(self, command):
        self.control.sendall(command.encode() + b"\n")
        return json.loads(self.answers.readline())

    def await_report(self, is_enough):
        """The first report of which this is true."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            report = self.ask("report")
            if is_enough(report):
                return report
            time.sleep(0.01)  # there is nothing else to wait for
        raise AssertionError(f"never came: {report}")

    def frames(self):
        """Everything that was on the air: (us, PSDU)."""
        with open(self.capture, "rb") as file:
            content = file.read()
        at = 24
        while at < len(content):
            seconds, us, size, _ = struct.unpack_from("<IIII", content, at)
            yield seconds * 1000000 + us, content[at + 16:at + 16 + size]
            at += 16 + size

    def end(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0
        self.process.stdout.close()
        self.answers.close()
        self.control.close()


class Device:
    def __init__(self, air):
        self.socket = air.connect(air.radio)
        self.file = self.socket.makefile("rb")

    def send(self, frame):
        self.socket.sendall(frame)

    def read(self):
        return self.file.read(self.file.read(1)[0])

    def close(self):
        self.file.close()
        self.socket.close()


def kind(psdu):
    if psdu[0] & 7 == 2:
        return "ack"
    return "broadcast" if psdu[5:7] == b"\xff\xff" and psdu[1] >> 2 & 3 == 2 else "data"


def sender(psdu):
    """The EUI-64 of the sender, for frames to an EUI-64 or to everybody."""
    at = 13 if psdu[1] >> 2 & 3 == 3 else 7
    return psdu[at:at + 8][::-1]


def eui64(node):
    return bytes.fromhex(node["eui64"].replace(":", ""))


class AirTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def open(self, *options):
        air = Air(self.folder, *options)
        self.addCleanup(air.end)
        device = Device(air)
        self.addCleanup(device.close)
        return air, device

    def assert_agrees(self, air, report):
        """What the report counts is what the capture has up to then."""
        acks = 0
        frames = [psdu for us, psdu in air.frames() if us <= report["now_us"]]
        for node in report["nodes"]:
            mine = [psdu for psdu in frames if kind(psdu) != "ack" and sender(psdu) == eui64(node)]
            data = [psdu for psdu in mine if kind(psdu) == "data"]
            retries = [psdu for before, psdu in zip(data, data[1:]) if before == psdu]
            self.assertEqual(node["tx"]["frames"], len(data) - len(retries))
            self.assertEqual(node["tx"]["retries"], len(retries))
            self.assertEqual(node["tx"]["bytes"], sum(map(len, data)) - sum(map(len, retries)))
            self.assertEqual(node["tx"]["retry_bytes"], sum(map(len, retries)))
            rest = [psdu for psdu in mine if kind(psdu) == "broadcast"]
            self.assertEqual(node["broadcast"], {"frames": len(rest), "bytes": sum(map(len, rest))})
            acks += node["acks"]["frames"]
            self.assertEqual(node["acks"]["bytes"], ACK_SIZE * node["acks"]["frames"])
        self.assertEqual(acks, sum(kind(psdu) == "ack" for psdu in frames))
        for psdu in frames:
            self.assertEqual(psdu[-2:], fcs(psdu[:-2]))

    def test_a_frame_takes_its_time_and_is_acknowledged(self):
        air, device = self.open()
        device.send(REQUEST)
        self.assertIn(b"\x88", device.read()[21:26])
        report = air.await_report(lambda found: found["nodes"][1]["tx_us"] >= SENT_US)
        (began, request), (acked, ack), (_, answer), (_, last) = air.frames()
        self.assertEqual(request, REQUEST[1:])
        self.assertEqual(acked - began, airtime_us(len(request)) + TURNAROUND_US)
        self.assertEqual(ack[:3], b"\x02\0" + request[2:3])
        self.assertEqual((kind(answer), sender(answer), kind(last)), ("data", ROUTER, "ack"))
        self.assert_agrees(air, report)
        router, one = report["nodes"]
        self.assertEqual((eui64(router), router["name"], eui64(one), one["name"]), (ROUTER, "router", DEVICE, None))
        self.assertEqual(one["tx_us"], SENT_US)
        self.assertEqual(router["tx_us"], airtime_us(len(answer)) + airtime_us(ACK_SIZE))
        self.assertEqual(report["channel"], {"busy_us": one["tx_us"] + router["tx_us"], "collisions": 0})
        self.assertEqual(report["lateness_us"]["frames"], 2)
        self.assertGreaterEqual(report["lateness_us"]["max"], report["lateness_us"]["p99"])
        self.assertLess(abs(report["now_us"] / 1e6 - time.time()), DEADLINE_S)
        self.assertGreater(report["span_us"], report["channel"]["busy_us"])

    def test_what_nobody_hears_is_tried_four_times(self):
        air, device = self.open("--loss", "100%", "--seed", "7")
        device.send(REQUEST)
        report = air.await_report(lambda found: found["nodes"][1]["drops"]["no_ack"] == 1)
        self.assertEqual([psdu for _, psdu in air.frames()], [REQUEST[1:]] * (1 + RETRIES))
        self.assertEqual(report["nodes"][1]["tx"]["retries"], RETRIES)
        self.assertEqual(report["nodes"][0]["lost"], 1 + RETRIES)
        self.assertEqual((report["faults"]["loss_ppm"], report["faults"]["seed"]), (1000000, 7))
        self.assert_agrees(air, report)
        self.assertEqual(air.ask("set loss=0%")["faults"]["loss_ppm"], 0)
        device.send(REQUEST)
        self.assertIn(b"\x88", device.read()[21:26])

    def test_without_its_acknowledgement_a_frame_comes_again_and_is_taken_once(self):
        air, device = self.open("--ack-loss", "100%")
        device.send(REQUEST)
        self.assertIn(b"\x88", device.read()[21:26])
        report = air.await_report(lambda found: given_up(found["nodes"][1]) == 1)
        router, one = report["nodes"]
        self.assertEqual((router["delivered"]["frames"], one["tx"]["frames"]), (1, 1))
        self.assertLessEqual(router["repeated"], one["tx"]["retries"])  # some collide with the answer
        self.assert_agrees(air, report)

    def test_what_the_mac_gives_up_the_router_sends_three_times_more_as_another_frame(self):
        air, device = self.open("--ack-loss", "100%")
        device.send(REQUEST)
        air.await_report(lambda found: given_up(found["nodes"][0]) >= 4)
        mine = [psdu for _, psdu in air.frames() if kind(psdu) == "data" and sender(psdu) == ROUTER]
        number = mine[0][2]
        answers = [psdu[2] for psdu in mine if psdu[3:-2] == mine[0][3:-2]]
        again = [number ^ 0x80] * 4
        self.assertEqual(answers, [number] * 4 + again + [number] * 4 + again)

    def test_nothing_arrives_while_the_link_is_off(self):
        air, device = self.open()
        self.assertEqual(air.ask("set link=off")["faults"]["link"], False)
        device.send(REQUEST)
        report = air.await_report(lambda found: found["nodes"][1]["drops"]["no_ack"] == 1)
        self.assertEqual(report["nodes"][0]["delivered"]["frames"], 0)
        self.assertEqual(report["lateness_us"]["frames"], 0)
        self.assertEqual(air.ask("set link=on")["faults"]["link"], True)
        device.send(numbered(0x5b))
        self.assertIn(b"\x88", device.read()[21:26])
        self.assert_agrees(air, air.await_report(lambda found: found["nodes"][1]["acks"]["frames"] == 1))

    def test_a_reset_forgets_counters_and_keeps_addresses(self):
        air, device = self.open()
        device.send(REQUEST)
        device.read()
        air.await_report(lambda found: found["nodes"][1]["tx_us"] >= SENT_US)
        self.assertEqual(air.ask("reset"), {"ok": True})
        report = air.ask("report")
        self.assertEqual(eui64(report["nodes"][1]), DEVICE)
        self.assertEqual(report["nodes"][1]["tx"], {"frames": 0, "bytes": 0, "retries": 0, "retry_bytes": 0})
        self.assertEqual(report["lateness_us"], {"mean": 0, "p99": 0, "max": 0, "frames": 0})
        self.assertEqual(report["channel"], {"busy_us": 0, "collisions": 0})

    def test_who_has_a_16_bit_address_is_heard_although_the_router_was_silent(self):
        air, device = self.open()
        device.send(between_shorts(b"\x41" + solicitation(short_ip(DEVICE_SHORT), short_ip(ROUTER_SHORT))))
        self.assertIn(b"\x88", device.read()[9:14])
        router, one = air.ask("report")["nodes"]
        self.assertEqual((router["short"], one["short"]), ("0x0001", "0x1234"))

    def test_devices_hear_each_other(self):
        air, device = self.open()
        other = Device(air)
        self.addCleanup(other.close)
        air.await_report(lambda found: len(found["nodes"]) == 3)
        everybody = struct.pack("<HB", 0xc841, 9) + b"\xcd\xab\xff\xff" + DEVICE[::-1] + b"hello"
        device.send(bytes([len(everybody) + 2]) + everybody + fcs(everybody))
        self.assertEqual(other.read(), everybody + fcs(everybody))

    def test_what_cannot_be_obeyed_changes_nothing_and_is_said(self):
        air, _ = self.open()
        before = air.ask("report")["faults"]
        for command, why in (("", "is none of"), ("reports", "is none of"), ("report now", "takes nothing more"),
                             ("set", "wants NAME=VALUE"), ("set loss", "no NAME=VALUE"),
                             ("set loss=10% rain=1%", "rain is none of loss"),
                             ("set loss=10% ack-loss=x", "ack-loss wants a share"), ("set link=maybe", "on or off")):
            with self.subTest(command):
                self.assertIn(why, air.ask(command)["error"])
                self.assertEqual(air.ask("report")["faults"], before)

    def test_what_is_not_utf_8_is_refused_as_well(self):
        air, _ = self.open()
        air.control.sendall(b"set l\xf6ss=1%\n")
        self.assertIn("not UTF-8", json.loads(air.answers.readline())["error"])
        self.assertIn("nodes", air.ask("report"))

    def test_each_setting_is_in_the_report(self):
        air, _ = self.open()
        words = "loss=1% ack-loss=2% corrupt=3% duplicate=4% burst=5%,6%,7% sleep=125,5,100 link=off offers=7 seed=8"
        faults = {"loss_ppm": 10000, "ack_loss_ppm": 20000, "corrupt_ppm": 30000, "duplicate_ppm": 40000,
                  "burst": {"to_bad_ppm": 50000, "to_good_ppm": 60000, "loss_ppm": 70000},
                  "sleep": {"period_us": 125000, "awake_us": 5000, "linger_us": 100000},
                  "link": False, "offers": 7, "seed": 8}
        self.assertEqual(air.ask(f"set {words}"), {"ok": True, "faults": faults})
        self.assertEqual(air.ask("report")["faults"], faults)

    def test_lines_may_come_in_parts_and_several_at_once(self):
        air, _ = self.open()
        for part in (b"re", b"set\nreset\r\nre", b"port\n"):
            air.control.sendall(part)
        answers = [json.loads(air.answers.readline()) for _ in range(3)]
        self.assertEqual(answers[:2], [{"ok": True}] * 2)
        self.assertIn("nodes", answers[2])

    def test_a_line_without_end_is_left_and_others_are_served(self):
        air, _ = self.open()
        for _ in range(6):
            greedy = air.connect(air.path)
            greedy.sendall(b"x" * 512)
            with greedy.makefile("rb") as file:
                self.assertIn(b"too long", file.readline())
                self.assertEqual(file.read(), b"")
            greedy.close()
        self.assertIn("nodes", air.ask("report"))

    def test_who_asks_and_does_not_read_is_left(self):
        air, _ = self.open()
        greedy = air.connect(air.path)
        self.addCleanup(greedy.close)
        with self.assertRaises(OSError):
            while True:
                greedy.sendall(b"report\n" * 70)
        self.assertIn("nodes", air.ask("report"))

    def refusal(self, *options):
        done = subprocess.run([sys.argv[1], "--radio", os.path.join(self.folder, "radio"), "--broker", "1", *options],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_options_that_make_no_sense_are_refused(self):
        self.assertIn("--loss wants --air", self.refusal("--loss", "10%"))
        self.assertIn("--control wants --air", self.refusal("--control", "control"))
        self.assertIn("--loss wants a share from 0% to 100%, such as 2.5%, not '10'",
                      self.refusal("--air", "--loss", "10"))
        self.assertIn("--sleep wants milliseconds", self.refusal("--air", "--sleep", "1,2"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
