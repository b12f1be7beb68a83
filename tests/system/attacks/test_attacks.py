"""Each attack of the demo is stopped where docs/SPEC.md says, and the device still works."""
import json
import os
import shutil
import subprocess
import sys
import unittest

PROGRAM, ROOT = sys.argv[1:3]
BOARD_IS_THERE = (shutil.which("qemu-system-arm") is not None and
                  os.path.exists(ROOT + "/build/microbit/bin/microbit-boot.bin"))

# docs/SPEC.md sections 18 and 19: what the device has to answer to each attempt, in order.
EXPECTED = {
    "replayed-manifest": ["invalid-nonce"] * 4,
    "rogue-bootstrap": ["unknown-key"] + ["outer-signature-invalid"] * 3,
    "forged-outer": ["outer-signature-invalid", "unknown-key"],
    "forged-inner": ["inner-signature-invalid", "unknown-key", "inner-signature-invalid"],
    "downgrade": ["invalid-version"] * 2,
    "wrong-device": ["wrong-device"],
    "wrong-app": ["wrong-app-id", "wrong-hardware-class"],
    "forged-slice": ["block-invalid"],
    "power-cut": ["confirmed"],
}


SKIPPED = 77

# After so long the update server asks a silent device again by itself (edge/server/update.h).
QUIET_MS = 45000


def run(name, board="posix"):
    return subprocess.run([PROGRAM, "--attack", name, "--json", "--board", board],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


class AttacksTestCase(unittest.TestCase):
    maxDiff = None

    def check(self, told):
        name = told["name"]
        attempts = [attempt["state"] for attempt in told["attempts"]]
        self.assertEqual(attempts, EXPECTED[name], told)
        self.assertEqual(told["state"], EXPECTED[name][0], told)
        self.assertIs(told["stopped"], True, told)
        self.assertIs(told["still_works"], True, told)


class Attacks(AttacksTestCase):
    def test_all_attacks_are_stopped_and_the_device_still_works(self):
        done = run("all")
        told = json.loads(done.stdout)
        self.assertEqual([one["name"] for one in told], list(EXPECTED), done.stderr)
        for one in told:
            with self.subTest(one["name"]):
                self.check(one)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_attack_is_told_as_one_object(self):
        done = run("downgrade")
        self.check(json.loads(done.stdout))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_unknown_attack_is_refused_with_the_names_of_all(self):
        done = run("no-such-attack")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        for name in EXPECTED:
            self.assertIn(name, done.stderr)


class AttacksOnMicrobit(AttacksTestCase):
    """A sample: the three in which most depends on the device's own code and link."""

    def check_attack(self, name):
        done = run(name, "microbit")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.check(told)
        return told

    def test_a_stranger_cannot_become_its_update_server(self):
        self.check_attack("rogue-bootstrap")

    def test_forged_slices_do_not_reach_its_flash(self):
        self.check_attack("forged-slice")

    def test_a_power_cut_costs_it_a_page_and_no_wait(self):
        told = self.check_attack("power-cut")
        self.assertLess(told["milliseconds"], QUIET_MS)


if __name__ == "__main__":
    if sys.argv[3] == "AttacksOnMicrobit" and not BOARD_IS_THERE:
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], sys.argv[3]], verbosity=2)
