#!/usr/bin/python3
"""NETCONF as a network manager sees it: sshd, the relay, the server, and ncclient.

    test_netconf_ssh.py BIN MUP_SSHD

Starts a test bridge (netconf-daemon) and an sshd on a free port in a temporary folder.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

from sshd import DEADLINE_S, free_port, wait_for_banner

TOY = "urn:mup:test:toy"
BIN, MUP_SSHD = sys.argv[1:3]


class Netconf(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="mup-netconf-")
        cls.children = []
        cls.addClassCleanup(cls.clean)
        cls.socket = cls.folder + "/bridge.sock"
        daemon = subprocess.Popen([BIN + "/netconf-daemon", cls.socket], stdout=subprocess.PIPE)
        cls.children.append(daemon)
        cls.daemon = daemon
        assert daemon.stdout.readline() == b"ready\n"
        cls.port = free_port()
        ssh = cls.folder + "/ssh"
        subprocess.run([MUP_SSHD, "init", ssh, str(cls.port)], check=True)
        for name in ("alice", "mup-server", "stranger"):
            key = f"{cls.folder}/{name}"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            if name != "stranger":
                subprocess.run([MUP_SSHD, "add", ssh, name, key + ".pub",
                                BIN + "/mup-netconf", cls.socket], check=True)
        cls.children.append(subprocess.Popen([MUP_SSHD, "run", ssh]))
        wait_for_banner(cls.port)

    @classmethod
    def clean(cls):
        for child in reversed(cls.children):
            child.terminate()
        codes = [child.wait(DEADLINE_S) for child in cls.children]
        for child in cls.children:
            if child.stdout:
                child.stdout.close()
        shutil.rmtree(cls.folder)
        assert codes[0] == 0, f"the server ended with {codes[0]}"

    def connect(self, name="alice"):
        session = manager.connect(
            host="127.0.0.1", port=self.port, username=os.environ.get("USER", "root"),
            key_filename=f"{self.folder}/{name}", hostkey_verify=False, allow_agent=False,
            look_for_keys=False, timeout=DEADLINE_S)
        session.raise_mode = 1
        self.addCleanup(lambda: session.connected and session.close_session())
        return session

    def call(self, session, xml):
        return session.dispatch(to_ele(xml)).xml

    def error(self, session, xml):
        with self.assertRaises(RPCError) as caught:
            self.call(session, xml)
        return caught.exception

    def token(self, uuid):
        return f'<getDeviceToken xmlns="{TOY}"><uuid>{uuid}</uuid></getDeviceToken>'

    def test_hello_names_the_modules(self):
        capabilities = list(self.connect().server_capabilities)
        self.assertIn("urn:ietf:params:netconf:base:1.1", capabilities)
        self.assertIn(f"{TOY}?module=toy&revision=2026-11-21", capabilities)
        self.assertIn("urn:mup:myno-devices?module=myno-devices&revision=2026-11-22",
                      capabilities)

    def test_lists_both_devices_and_filters_them(self):
        session = self.connect()
        both = session.get().data_xml
        self.assertIn("<uuid>fast</uuid>", both)
        self.assertIn("<uuid>slow</uuid>", both)
        self.assertIn("yang-library", both)
        self.assertIn("<username>alice</username>", both)
        one = session.get(("subtree", '<devices xmlns="urn:mup:myno-devices"><device>'
                           "<uuid>slow</uuid></device></devices>")).data_xml
        self.assertIn("Valve", one)
        self.assertNotIn("Lamp", one)
        self.assertNotIn("netconf-state", one)

    def test_the_schema_is_the_very_text_and_yanglint_accepts_it(self):
        text = self.connect().get_schema("myno-devices", "2026-11-22", "yang").data
        path = self.folder + "/myno-devices.yang"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["yanglint", path], check=True)
        self.assertIn("module ietf-netconf", self.connect().get_schema("ietf-netconf").data)

    def test_a_schema_that_is_not_there_is_an_invalid_value(self):
        with self.assertRaises(RPCError) as caught:
            self.connect().get_schema("nowhere")
        self.assertEqual(caught.exception.tag, "invalid-value")

    def test_calls_an_rpc_and_gets_its_output(self):
        session = self.connect()
        self.assertIn("a&lt;b&amp;c", self.call(session, self.token("fast")))
        self.assertIn("late", self.call(session, self.token("slow")))
        self.assertIn("<ok/>", self.call(session, f'<stop xmlns="{TOY}"/>'))

    def test_errors_carry_tag_app_tag_path_and_message(self):
        session = self.connect()
        unknown = self.error(session, self.token("nobody"))
        self.assertEqual(unknown.tag, "invalid-value")
        self.assertEqual(unknown.app_tag, "unknown-device")
        self.assertEqual(unknown.path, "/toy:getDeviceToken/toy:uuid")
        self.assertEqual(unknown.message, "there is no such device")
        self.assertEqual(self.error(session, self.token("refusing")).app_tag, "device-refused")
        self.assertEqual(self.error(session, self.token("lying")).app_tag, "bad-answer")
        self.assertEqual(self.error(session, f'<getDeviceToken xmlns="{TOY}"/>').tag,
                         "missing-element")
        self.assertEqual(self.error(session, f'<nothing xmlns="{TOY}"/>').tag,
                         "operation-not-supported")

    def test_only_the_update_server_may_call_update_rpcs(self):
        manifest = (f'<sendExtendedManifest xmlns="{TOY}"><uuid>fast</uuid>'
                    "</sendExtendedManifest>")
        self.assertEqual(self.error(self.connect(), manifest).tag, "access-denied")
        self.assertIn("<ok/>", self.call(self.connect("mup-server"), manifest))

    def test_a_key_that_is_not_listed_stays_outside(self):
        with self.assertRaises(Exception):
            self.connect("stranger")

    def test_kill_session_ends_another_one(self):
        victim, killer = self.connect(), self.connect()
        killer.kill_session(victim.session_id)
        end = time.monotonic() + DEADLINE_S
        while victim.connected and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(victim.connected)

    def test_garbage_ends_one_session_only(self):
        witness = self.connect()
        # nothing but garbage behind the hello: chunk headers that are none
        garbage = (b'<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>'
                   b"<capability>urn:ietf:params:netconf:base:1.1</capability></capabilities>"
                   b"</hello>]]>]]>\n#zzz\n")
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", self.folder + "/alice", "-p", str(self.port), "-o",
             "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
             "LogLevel=ERROR", "127.0.0.1", "-s", "netconf"],
            input=garbage, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False)
        self.assertIn(b"<session-id>", done.stdout)
        self.assertIsNone(self.daemon.poll())
        self.assertIn("a&lt;b&amp;c", self.call(witness, self.token("fast")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
