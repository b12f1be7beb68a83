#!/usr/bin/python3
"""mup broker and mup device: who may connect to the broker, and what they may do there.

    test_broker.py MUP
"""
import json
import os
import pwd
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

DEADLINE_S = 60
MUP = sys.argv[1]
ONE = "161f1c77-6a05-4a58-9a3d-0d1f5c1c0001"
TWO = "161f1c77-6a05-4a58-9a3d-0d1f5c1c0002"


def free_port():
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def mup(*words, code=0):
    done = subprocess.run([MUP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=DEADLINE_S, check=False, text=True)
    assert done.returncode == code, (words, done)
    return done.stdout if code == 0 else done.stderr


class Broker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="mup-broker-")
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.folder = cls.top + "/broker"
        cls.port = free_port()
        account = pwd.getpwuid(os.getuid()).pw_name
        mup("broker", cls.folder, "--port", str(cls.port), "--user", account)
        cls.passwords = {name: cls.read(name + ".password") for name in ("mup-bridge", "mup-server")}
        for name in (ONE, TWO):
            said = json.loads(mup("device", "add", name, "--broker", cls.folder, "--json"))
            assert said["name"] == name, said
            cls.passwords[name] = said["password"]
        cls.broker = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-v", "-c", cls.folder + "/mosquitto.conf"],
            stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)
        cls.expect_log("running")

    @classmethod
    def end(cls):
        cls.broker.terminate()
        cls.broker.wait(DEADLINE_S)
        cls.broker.stderr.close()

    @classmethod
    def expect_log(cls, needle):
        for line in cls.broker.stderr:
            if needle in line:
                return line
        raise AssertionError("the broker ended before it said " + needle)

    @classmethod
    def read(cls, name):
        with open(f"{cls.folder}/{name}", encoding="utf-8") as file:
            return file.read()

    def client(self, program, name, *words, password=None):
        return ["/usr/bin/stdbuf", "-oL", "/usr/bin/mosquitto_" + program, "-V", "5", "-h", "127.0.0.1", "-p", str(self.port),
                "-u", name, "-P", password or self.passwords.get(name, "wrong"), *words]

    def publishes(self, name, topic, password=None):
        """What the broker makes of it, as the client says it."""
        done = subprocess.run(self.client("pub", name, "-q", "1", "-t", topic, "-m", "x",
                                          password=password),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=DEADLINE_S, check=False, text=True)
        return done.stdout + (f"exit {done.returncode}" if done.returncode else "")

    def test_a_device_publishes_under_its_own_name_only(self):
        self.assertEqual(self.publishes(ONE, f"mup/response/{ONE}"), "")
        self.assertEqual(self.publishes("mup-bridge", f"led/{ONE}"), "")
        for topic in (f"mup/response/{TWO}", "mup/response", f"mup/{ONE}/x", f"{ONE}",
                      f"mup/firmware/{ONE}/{TWO}", "$SYS/broker"):
            self.assertIn("Not authorized", self.publishes(ONE, topic), topic)

    def test_a_device_hears_its_own_topics_only(self):
        ears = subprocess.Popen(self.client("sub", ONE, "-d", "-q", "1", "-C", "1", "-t", "led/+"),
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(ears.stdout.close)
        for line in ears.stdout:
            if line.startswith("Subscribed"):
                break
        self.publishes("mup-bridge", f"led/{TWO}")
        self.publishes("mup-bridge", f"led/{ONE}")
        said = [line for line in ears.stdout if "PUBLISH (" in line]
        self.assertEqual(ears.wait(DEADLINE_S), 0)
        self.assertEqual(len(said), 1)
        self.assertIn(f"led/{ONE}", said[0])

    def test_nobody_comes_without_his_password(self):
        for name, password in ((ONE, "wrong"), (ONE, self.passwords[TWO]), ("stranger", "x")):
            self.assertIn("ot authori", self.publishes(name, f"led/{name}", password=password))

    def test_who_is_revoked_is_thrown_out_and_stays_out(self):
        name = "lamp-3"
        first = mup("device", "add", name, "--broker", self.folder).split()[1]
        self.expect_log("Reloading config")
        self.assertEqual(self.publishes(name, f"led/{name}", password=first), "")
        second = mup("device", "add", name, "--broker", self.folder).split()[1]
        self.expect_log("Reloading config")
        self.assertIn("ot authori", self.publishes(name, f"led/{name}", password=first))
        ears = subprocess.Popen(self.client("sub", name, "-d", "-t", f"led/{name}",
                                            password=second), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        self.addCleanup(ears.wait, DEADLINE_S)
        self.addCleanup(ears.kill)
        self.addCleanup(ears.stdout.close)
        for line in ears.stdout:
            if line.startswith("Subscribed"):
                break
        self.assertIn(name, mup("device", "list", "--broker", self.folder).split())
        mup("device", "revoke", name, "--broker", self.folder)
        for line in ears.stdout:  # the broker ends its session
            if "not authori" in line.lower() or "DISCONNECT" in line:
                break
        else:
            self.fail("a revoked device stays connected")
        self.assertIn("ot authori", self.publishes(name, f"led/{name}", password=second))
        self.assertNotIn(name, mup("device", "list", "--broker", self.folder).split())
        self.assertEqual(self.publishes(ONE, f"led/{ONE}"), "")
        self.assertIn("no device", mup("device", "revoke", name, "--broker", self.folder, code=1))

    def test_the_folder_is_nobody_else_s_and_made_once(self):
        for name in ("", "mosquitto.conf", "acl", "passwords", "mup-bridge.password"):
            mode = os.stat(f"{self.folder}/{name}").st_mode
            self.assertEqual(stat.S_IMODE(mode) & 0o077, 0, name)
        before = [self.read(name) for name in ("passwords", "mosquitto.conf", "mup-bridge.password")]
        mup("broker", self.folder, "--port", "1")
        after = [self.read(name) for name in ("passwords", "mosquitto.conf", "mup-bridge.password")]
        self.assertEqual(before, after)
        for password in self.passwords.values():
            self.assertNotIn(password, self.read("passwords"))

    def test_names_that_are_no_device_s_are_refused(self):
        for name in ("mup-bridge", "a/b", "#", "a:b", "", "x" * 49, "a\nb"):
            mup("device", "add", name, "--broker", self.folder, code=2)
        mup("device", "add", "lamp", "--broker", self.top + "/nowhere", code=1)
        self.assertEqual(set(json.loads(mup("device", "list", "--broker", self.folder, "--json"))) -
                         {"lamp-3"}, {ONE, TWO})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
