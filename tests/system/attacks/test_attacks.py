"""Each attack of the demo is stopped where docs/SPEC.md says, and the device still works."""
import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv[1]

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


def run(name):
    return subprocess.run([PROGRAM, "--attack", name, "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


class Attacks(unittest.TestCase):
    maxDiff = None

    def check(self, told):
        name = told["name"]
        attempts = [attempt["state"] for attempt in told["attempts"]]
        self.assertEqual(attempts, EXPECTED[name], told)
        self.assertEqual(told["state"], EXPECTED[name][0], told)
        self.assertIs(told["stopped"], True, told)
        self.assertIs(told["still_works"], True, told)

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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
