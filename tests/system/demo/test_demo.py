"""The demo as a person starts it: which device it takes, what it proves, how it ends."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, ROOT = sys.argv[1:3]
BOARD_IS_THERE = (shutil.which("qemu-system-arm") is not None and
                  os.path.exists(ROOT + "/build/microbit/bin/microbit-boot.bin"))
STEPS = list(range(8))
RADIO_BYTES_PER_MS = 31.25  # 250 kbit/s, IEEE 802.15.4-2020 section 12: no radio is faster
FRAME_PAYLOAD = 96          # of a 6LoWPAN fragment with 64-bit addresses


def run(*arguments, path=None):
    environment = dict(os.environ, PATH=path if path is not None else os.environ["PATH"])
    return subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, env=environment)


class Demo(unittest.TestCase):
    maxDiff = None

    def path_without_qemu(self):
        """A folder with links to every program but QEMU's."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name in os.listdir("/usr/bin"):
            if not name.startswith("qemu-"):
                os.symlink("/usr/bin/" + name, folder.name + "/" + name)
        return folder.name

    def check(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["result"], "confirmed")
        self.assertEqual((told["from"], told["to"]), (1, 2))
        self.assertEqual([step["step"] for step in told["steps"]], STEPS)
        evidence = told["evidence"]
        self.assertNotEqual(evidence["execution_before"], evidence["execution_after"])
        self.assertEqual(evidence["staging_version"], 1)
        return told

    def test_without_being_told_it_takes_the_microbit(self):
        if not BOARD_IS_THERE:
            self.skipTest("no emulated micro:bit on this machine")
        done = run("--json")
        told = self.check(done)
        self.assertEqual(told["board"], "microbit")
        self.assertEqual(done.stderr, "")
        self.assertIn(told["evidence"]["ram_untouched"], range(1, 16384))
        self.assertGreater(told["evidence"]["radio_bytes"], told["image_size"])
        transfer = told["steps"][5]
        self.assertGreater(transfer["milliseconds"], transfer["bytes_to_device"] / RADIO_BYTES_PER_MS)

    def test_a_hurry_takes_the_time_from_clock_and_radio(self):
        if not BOARD_IS_THERE:
            self.skipTest("no emulated micro:bit on this machine")
        told = self.check(run("--json", "--fast"))
        self.assertEqual(told["board"], "microbit")
        # without time on the air nothing is acknowledged or sent again: fewer frames
        self.assertLess(told["evidence"]["radio_frames"], told["image_size"] / FRAME_PAYLOAD * 1.6)

    def test_a_virtual_device_cannot_be_in_a_hurry(self):
        for words in (("--board", "posix"), ("--size", "20000")):
            done = run("--fast", *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("--fast is for the micro:bit", done.stderr)

    def test_people_get_an_account_in_80_columns(self):
        done = run("--board", "posix")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, done.stdout)
        self.assertIn("The device says confirmed: slots swapped, version 2 runs after 1 trial boot.",
                      done.stdout)

    def test_without_qemu_it_takes_the_virtual_device_and_says_so(self):
        done = run("--json", path=self.path_without_qemu())
        told = self.check(done)
        self.assertEqual(told["board"], "posix")
        self.assertIn("qemu-system-arm is not installed, so this is the virtual device",
                      done.stderr)

    def test_insisting_on_the_microbit_without_qemu_is_refused(self):
        done = run("--board", "microbit", path=self.path_without_qemu())
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("qemu-system-arm is not installed", done.stderr)

    def test_what_only_the_virtual_device_can_be_told_takes_it(self):
        told = self.check(run("--json", "--size", "20000"))
        self.assertEqual((told["board"], told["image_size"]), ("posix", 20000))

    def test_stopped_half_way_it_says_so(self):
        with subprocess.Popen([PROGRAM, "--json", "--board", "posix", "--size", "200000",
                               "--window", "64", "--slice", "64"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
            deadline = time.monotonic() + 60
            while "mup-server" not in self.children(demo.pid):
                self.assertIsNone(demo.poll(), "it ended by itself")
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            demo.send_signal(signal.SIGINT)
            out, err = demo.communicate()
        self.assertEqual(demo.returncode, 130)
        self.assertEqual(json.loads(out)["result"], "interrupted")
        self.assertIn("everything that was started ends", err)

    @staticmethod
    def children(pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
                pids = listed.read().split()
        except FileNotFoundError:
            return []
        names = []
        for child in pids:
            try:
                with open(f"/proc/{child}/comm", encoding="ascii") as name:
                    names.append(name.read().strip())
            except FileNotFoundError:
                pass
        return names


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
