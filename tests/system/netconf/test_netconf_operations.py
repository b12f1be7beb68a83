#!/usr/bin/python3
"""Each NETCONF operation through a real sshd, by clients that others wrote: ncclient, yangcli, and
bytes typed into `ssh -s`.

    test_netconf_operations.py BIN MUP_SSHD

Starts a test bridge (netconf-daemon, whose administrator is alice) and an sshd in a temporary
folder.
"""
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

from sshd import DEADLINE_S, free_port, wait_for_banner

TOY = "urn:mup:test:toy"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
DEVICES = "urn:mup:myno-devices"
ACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
EVENTS = "urn:ietf:params:xml:ns:netconf:notification:1.0"
BASE_EVENTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
CAPABILITY = "urn:ietf:params:netconf:capability:"
BIN, MUP_SSHD = sys.argv[1:3]


def label(uuid, text, operation=""):
    return (f'<config xmlns="{BASE}" xmlns:nc="{BASE}"><devices xmlns="{DEVICES}"><device {operation}>'
            f"<uuid>{uuid}</uuid>{text}</device></devices></config>")


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="mup-netconf-")
        cls.children = []
        cls.addClassCleanup(cls.clean)
        cls.socket = cls.folder + "/bridge.sock"
        daemon = subprocess.Popen([BIN + "/netconf-daemon", cls.socket], stdout=subprocess.PIPE)
        cls.children.append(daemon)
        assert daemon.stdout.readline() == b"ready\n"
        cls.port = free_port()
        ssh = cls.folder + "/ssh"
        subprocess.run([MUP_SSHD, "init", ssh, str(cls.port)], check=True)
        for name in ("alice", "rita", "nora"):
            key = f"{cls.folder}/{name}"
            # yangcli's libssh2 reads neither the new format of keys nor Ed25519.
            subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", key],
                           check=True)
            subprocess.run([MUP_SSHD, "add", ssh, name, key + ".pub", BIN + "/mup-netconf",
                            cls.socket], check=True)
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
            host="127.0.0.1", port=self.port, username=getpass.getuser(),
            key_filename=f"{self.folder}/{name}", hostkey_verify=False, allow_agent=False,
            look_for_keys=False, timeout=DEADLINE_S)
        session.raise_mode = 1
        self.addCleanup(lambda: session.connected and session.close_session())
        return session

    def refused(self, tag, call, *arguments, **named):
        with self.assertRaises(RPCError) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.tag, tag)
        return caught.exception

    def configuration(self, session):
        return session.get_config(
            "running", ("subtree", f'<devices xmlns="{DEVICES}"/>')).data_xml

    def test_edit_config_in_all_its_ways(self):
        session = self.connect()
        for capability in ("writable-running:1.0", "rollback-on-error:1.0", "validate:1.1",
                           "xpath:1.0", "notification:1.0", "interleave:1.0"):
            self.assertIn(CAPABILITY + capability, list(session.server_capabilities))
        session.edit_config(label("e1", "<label>hall</label>"), target="running",
                            error_option="rollback-on-error", test_option="test-then-set")
        self.assertIn("hall", self.configuration(session))
        session.edit_config(label("e1", "<label>x</label>"), target="running",
                            test_option="test-only")
        self.assertIn("hall", self.configuration(session))
        error = self.refused("data-exists", session.edit_config,
                             label("e1", "", 'nc:operation="create"'), target="running")
        self.assertEqual(error.path, "/myno-devices:devices/myno-devices:device"
                                     "[myno-devices:uuid='e1']")
        self.refused("data-missing", session.edit_config,
                     label("e2", "", 'nc:operation="delete"'), target="running")
        self.refused("invalid-value", session.edit_config,
                     label("e1", f"<label>{'x' * 65}</label>"), target="running")
        self.refused("data-missing", session.edit_config, label("e9", "<label>x</label>"),
                     target="running", default_operation="none")
        session.edit_config(label("e1", "", 'nc:operation="replace"'), target="running")
        self.assertNotIn("hall", self.configuration(session))
        session.edit_config(label("e1", "", 'nc:operation="delete"'), target="running")
        session.edit_config(label("e1", "", 'nc:operation="remove"'), target="running")
        self.assertNotIn("e1", self.configuration(session))
        session.validate("running")
        self.refused("unknown-element", session.delete_config, "startup")

    def test_what_has_no_namespace_is_told(self):
        error = self.refused("unknown-namespace", self.connect().edit_config,
                             f'<config><devices xmlns="{DEVICES}"/></config>', target="running")
        self.assertIn(BASE, error.message)

    def test_locks(self):
        holder, other = self.connect(), self.connect()
        with holder.locked("running"):
            self.refused("lock-denied", other.lock, "running")
            self.refused("in-use", other.edit_config, label("l1", ""), target="running")
        with other.locked("running"):
            pass

    def test_filters_and_defaults(self):
        session = self.connect()
        said = session.get(("xpath", ({"d": DEVICES}, "/d:devices/d:device[d:name='Valve']")))
        self.assertIn("slow", said.data_xml)
        self.assertNotIn("Lamp", said.data_xml)
        self.assertNotIn("netconf-state", said.data_xml)
        self.refused("invalid-value", session.get, ("xpath", "//*["))
        rules = ("subtree", f'<nacm xmlns="{ACM}"><rule-list/></nacm>')
        self.assertNotIn("<module-name>*", session.get_config("running", rules).data_xml)
        self.assertIn("<module-name>*",
                      session.get_config("running", rules, with_defaults="report-all").data_xml)
        library = session.get(("subtree", '<yang-library xmlns="urn:ietf:params:xml:ns:yang:'
                                          'ietf-yang-library"/>')).data_xml
        self.assertIn("<name>myno-devices</name>", library)
        old = session.get(("subtree", '<modules-state xmlns="urn:ietf:params:xml:ns:yang:'
                                      'ietf-yang-library"/>')).data_xml
        self.assertIn("<name>myno-devices</name>", old)

    def test_notifications_between_answers(self):
        listener, other = self.connect(), self.connect()
        listener.dispatch(to_ele(
            f'<create-subscription xmlns="{EVENTS}"><filter type="subtree">'
            f'<netconf-config-change xmlns="{BASE_EVENTS}"/>'
            f'<netconf-session-end xmlns="{BASE_EVENTS}"/></filter></create-subscription>'))
        self.refused("operation-failed", listener.create_subscription)
        self.refused("operation-failed", other.create_subscription,
                     start_time="2026-01-01T00:00:00Z")
        self.refused("invalid-value", other.create_subscription, stream_name="nowhere")
        other.edit_config(label("n1", "<label>yard</label>"), target="running")
        self.assertIn("<target", self.notification(listener, "netconf-config-change"))
        self.assertIn("n1", self.configuration(listener))
        other.close_session()
        self.assertIn("closed", self.notification(listener, "netconf-session-end"))

    def notification(self, session, name):
        """The next one called so; other tests' sessions may end meanwhile."""
        while True:
            told = session.take_notification(timeout=DEADLINE_S)
            self.assertIsNotNone(told, name)
            if name in told.notification_xml:
                return told.notification_xml

    def test_access_control(self):
        admin, nora = self.connect(), self.connect("nora")
        self.refused("access-denied", nora.get)
        self.refused("access-denied", nora.dispatch,
                     to_ele(f'<getDeviceToken xmlns="{TOY}"><uuid>fast</uuid></getDeviceToken>'))
        admin.edit_config(f'<config xmlns="{BASE}"><nacm xmlns="{ACM}"><groups><group><name>read-only</name>'
                          "<user-name>rita</user-name></group></groups></nacm></config>",
                          target="running")
        rita = self.connect("rita")
        self.assertIn("Lamp", rita.get().data_xml)
        self.assertNotIn("rule-list", rita.get().data_xml)
        self.refused("access-denied", rita.edit_config, label("a1", "<label>x</label>"),
                     target="running")
        self.refused("access-denied", rita.kill_session, admin.session_id)
        self.refused("access-denied", rita.dispatch, to_ele(f'<stop xmlns="{TOY}"/>'))

    def ssh(self, octets):
        return subprocess.run(
            ["ssh", "-F", "none", "-i", self.folder + "/alice", "-p", str(self.port), "-o",
             "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
             "LogLevel=ERROR", "-o", "BatchMode=yes", "127.0.0.1", "-s", "netconf"],
            input=octets, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False).stdout

    def raw_requests(self):
        bodies = [f'<edit-config><target><running/></target>{label("r1", "<label>q</label>")}'
                  "</edit-config>",
                  '<get><filter type="xpath" select="//label[. = \'q\']"/></get>',
                  f'<create-subscription xmlns="{EVENTS}"/>',
                  "<close-session/>"]
        return [f'<rpc message-id="{i}" xmlns="{BASE}">{body}</rpc>'.encode()
                for i, body in enumerate(bodies)]

    def hello(self, version):
        return (f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:'
                f"{version}</capability></capabilities></hello>]]>]]>").encode()

    def check_raw(self, messages):
        replies = {}
        for message in messages:
            if message.strip():
                element = etree.fromstring(message)
                replies[element.get("message-id")] = element
        for number in ("0", "2", "3"):
            self.assertIsNotNone(replies[number].find(f"{{{BASE}}}ok"), number)
        self.assertIn(b"<label", etree.tostring(replies["1"]))

    def test_raw_framing_of_the_first_version(self):
        said = self.ssh(self.hello("1.0") + b"]]>]]>".join(self.raw_requests()) + b"]]>]]>")
        self.check_raw(said.split(b"]]>]]>"))

    def test_raw_chunks(self):
        octets = self.hello("1.1")
        for request in self.raw_requests():
            # Chunks of 7 bytes: their borders are nowhere in particular.
            for at in range(0, len(request), 7):
                part = request[at:at + 7]
                octets += b"\n#%d\n%s" % (len(part), part)
            octets += b"\n##\n"
        hello, rest = self.ssh(octets).split(b"]]>]]>", 1)
        self.assertIn(b"<session-id>", hello)
        messages, message = [], b""
        while rest:
            self.assertEqual(rest[:2], b"\n#")
            size, rest = rest[2:].split(b"\n", 1)
            if size == b"#":
                messages.append(message)
                message = b""
            else:
                message += rest[:int(size)]
                rest = rest[int(size):]
        self.check_raw(messages)

    @unittest.skipUnless(shutil.which("yangcli"), "the Debian package yangcli is not installed")
    def test_yangcli(self):
        commands = self.folder + "/commands"
        with open(commands, "w", encoding="utf-8") as file:
            file.write("create-subscription\nxget /devices/device[name='Valve']\n"
                       "getDeviceToken uuid=fast\nlock target=running\n"
                       "merge /devices/device[uuid='y1']/label value='attic'\n"
                       "unlock target=running\nsget-config source=running /devices\n"
                       "close-session\nquit\n")
        said = subprocess.run(
            ["yangcli", "server=127.0.0.1", f"ncport={self.port}", f"user={getpass.getuser()}",
             f"private-key={self.folder}/alice", f"public-key={self.folder}/alice.pub",
             f"run-script={commands}", "batch-mode"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False,
            env={**os.environ, "HOME": self.folder}).stdout.decode()
        self.assertIn("name Valve", said)
        self.assertIn("token a<b&c", said)
        self.assertIn("label attic", said)
        self.assertIn("netconf-config-change", said)
        self.assertNotIn("canceled", said)
        self.assertNotIn("RPC Error", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
