#!/usr/bin/python3
"""The micro:bit's factory, from its command line: what it makes, what it prints, what it refuses.

    test_factory.py MUP_MICROBIT MUP

Each refusal names what is wrong and where, and leaves nothing behind. The images here are no
programs, they only look like some from the outside.
"""
import fcntl
import os
import resource
import struct
import subprocess
import sys
import tempfile
import unittest

FLASH_SIZE = 256 * 1024
BOOT_SIZE = 24 * 1024
IMAGE_SIZE_MAX = 111 * 1024
RAM_END = 0x20004000
UUID = "5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5"
USAGE, FAILED = 2, 1
SETTINGS_AT = BOOT_SIZE - 1024
SETTINGS = "<4s8sH16sHHHIIIHBBBBB"  # firmware/microbit/settings.h
SETTINGS_FIELDS = ("magic", "eui64", "short", "broker", "port", "pan", "pause", "trial", "window", "slice",
                   "receive_maximum", "flow", "no_alias", "ack_each", "send_segment", "flash_times")
LIMITS = (("broker-port", 1, 65535), ("pan", 1, 65535), ("trial", 1, 65535), ("short-address", 1, 0xfffd),
          ("window", 64, 65536), ("slice", 16, 32768), ("pause", 1, 5000), ("receive-maximum", 1, 65535), ("send-segment", 32, 255))


def program(at, magic, size=1000, version=7):
    """Stack pointer, entry, and the word at 192 by which the tool knows what it is."""
    vectors = struct.pack("<II", RAM_END, at + 257).ljust(192, b"\x11")
    return (vectors + magic + struct.pack("<III", version, 0, 0)).ljust(size, b"\x22")


def boot(size=1000):
    return program(0, b"CUPS", size)


def application(size=1000, **fields):
    return program(BOOT_SIZE, b"MUPM", size, **fields)


class Factory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        subprocess.run([mup, "keygen", self.path("vendor")], check=True, capture_output=True)
        self.write("boot.bin", boot())
        self.write("app.bin", application())
        self.before = sorted(os.listdir(self.folder))
        self.options = {"flash": self.path("d.flash"), "boot": self.path("boot.bin"), "image": self.path("app.bin"),
                        "vendor-key": self.path("vendor.pub"), "uuid": UUID}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def run_factory(self, *more, limit=None, **changes):
        options = {**self.options, **{name.replace("_", "-"): value for name, value in changes.items()}}
        words = [word for name, value in options.items() if value is not None for word in ("--" + name, value)]
        before = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        return subprocess.run([microbit, "factory", *words, *more], capture_output=True, text=True, check=False,
                              preexec_fn=before)

    def assert_refused(self, *said, code=FAILED, more=(), **changes):
        done = self.run_factory(*more, **changes)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for words in said:
            self.assertIn(words, done.stderr)
        self.assertTrue(done.stderr.startswith("mup-microbit"), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), self.before)

    def test_a_flash_is_made_and_told_how_to_use(self):
        done = self.run_factory()
        self.assertEqual(done.returncode, 0, done.stderr)
        flash = self.read("d.flash")
        self.assertEqual(len(flash), FLASH_SIZE)
        self.assertTrue(flash.startswith(boot()))
        self.assertTrue(flash[BOOT_SIZE:].startswith(application()))
        self.assertIn("version 7, bootloader 1000 bytes, application 1000 bytes", done.stdout)
        self.assertIn(f"mup-microbit run --flash {self.path('d.flash')} --radio SOCKET", done.stdout)
        self.assertIn(f"program {self.path('d.flash')} 0 verify", done.stdout)
        self.assertIn(bytes.fromhex(UUID.replace("-", "")), flash)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(self.before + ["d.flash"]))
        self.assertEqual(os.stat(self.path("d.flash")).st_mode & 0o77, 0)

    def test_a_missing_option_is_named(self):
        for option in self.options:
            self.assert_refused("an option is missing: --" + option, code=USAGE, **{option: None})
        self.assert_refused("more on the command line than options: x", code=USAGE, more=("x",))

    def test_a_missing_or_empty_file_is_named(self):
        for option in ("boot", "image", "vendor-key"):
            self.assert_refused(self.path("nothing"), "No such file", **{option: self.path("nothing")})
        self.write("empty", b"")
        self.before.append("empty")
        self.before.sort()
        for option in ("boot", "image"):
            self.assert_refused(self.path("empty") + " cannot be read: it is empty", **{option: self.path("empty")})

    def test_a_key_of_another_kind_is_refused(self):
        self.assert_refused("no public key of P-256", vendor_key=self.path("vendor.key"))
        self.assert_refused("no public key of P-256", vendor_key=self.path("app.bin"))

    def test_a_bad_uuid_is_refused(self):
        for uuid in ("", "x", UUID[:-1], UUID + "0", UUID.replace("5", "g", 1), UUID.replace("-", "")):
            self.assert_refused(f"'{uuid}' is not a UUID, such as", uuid=uuid)

    def test_other_bad_words_are_refused(self):
        self.assert_refused("--broker wants an IPv6 address, not '127.0.0.1'", broker="127.0.0.1")
        self.assert_refused("--eui64 wants 16 hex digits, not '12'", eui64="12")
        self.assert_refused("is not a name", name="a/b")
        for option, least, most in LIMITS:
            for number in (str(least - 1), str(most + 1), "-1", "x", ""):
                self.assert_refused(f"--{option} wants a number from {least} to {most}, not '{number}'", code=USAGE,
                                    **{option: number})
        self.assert_refused("--flow is credit, qos1 or paced, not 'fast'", code=USAGE, flow="fast")
        self.assert_refused("--pause needs --flow paced", code=USAGE, pause="20")
        self.assert_refused("--slice 1025 is more than --window 1024", code=USAGE, window="1024", slice="1025")

    def settings(self, *more, **changes):
        done = self.run_factory(*more, **changes)
        self.assertEqual(done.returncode, 0, done.stderr)
        record = self.read("d.flash")[SETTINGS_AT:][:struct.calcsize(SETTINGS)]
        os.remove(self.path("d.flash"))
        return dict(zip(SETTINGS_FIELDS, struct.unpack(SETTINGS, record)))

    def test_what_is_not_told_the_firmware_decides(self):
        told = self.settings()
        self.assertEqual(told["magic"], b"MUPS")
        self.assertEqual(told["eui64"][0] & 3, 2)
        self.assertEqual(told["broker"], bytes.fromhex("fe80") + bytes(13) + b"\x01")
        self.assertEqual((told["port"], told["pan"]), (1883, 0xabcd))
        for field in ("short", "pause", "receive_maximum", "flow", "no_alias", "trial", "window", "slice", "ack_each", "send_segment",
                      "flash_times"):
            self.assertEqual(told[field], 0, field)

    def test_each_setting_stands_in_the_flash(self):
        self.assertEqual(self.settings(broker_port="1884")["port"], 1884)
        self.assertEqual(self.settings(pan="0x1234")["pan"], 0x1234)
        self.assertEqual(self.settings(trial="20")["trial"], 20)
        self.assertEqual(self.settings(eui64="0011223344556677")["eui64"], bytes.fromhex("0011223344556677"))
        self.assertEqual(self.settings(window="65536")["window"], 65536)
        self.assertEqual(self.settings(slice="220")["slice"], 220)
        self.assertEqual(self.settings("--ack-each-segment")["ack_each"], 1)
        self.assertEqual(self.settings(send_segment="64")["send_segment"], 64)
        self.assertEqual(self.settings("--flash-times")["flash_times"], 1)

    def test_each_flow_has_its_own_window(self):
        def told(*more, **changes):
            settings = self.settings(*more, **changes)
            return [settings[field] for field in ("flow", "window", "receive_maximum", "pause", "no_alias")]

        self.assertEqual(told(flow="credit"), [0, 0, 0, 0, 0])
        self.assertEqual(told(flow="qos1"), [1, 65536, 8, 0, 0])
        self.assertEqual(told("--no-alias", flow="qos1", receive_maximum="3", window="4096"), [1, 4096, 3, 0, 1])
        self.assertEqual(told(flow="paced"), [2, 65536, 0, 20, 0])
        self.assertEqual(told(flow="paced", pause="55"), [2, 65536, 0, 55, 0])

    def test_who_has_a_16_bit_address_talks_to_the_routers(self):
        told = self.settings(short_address="0x1234")
        self.assertEqual(told["short"], 0x1234)
        self.assertEqual(told["broker"], bytes.fromhex("fe80000000000000000000fffe000001"))
        told = self.settings(short_address="0x1234", broker="fe80::1")
        self.assertEqual(told["broker"], bytes.fromhex("fe80") + bytes(13) + b"\x01")

    def test_an_image_that_is_too_big_is_refused_and_the_biggest_is_not(self):
        self.write("app.bin", application(IMAGE_SIZE_MAX + 1))
        self.assert_refused("app.bin has more than the 113664 bytes that fit into the application's slot")
        self.write("app.bin", application())
        self.write("boot.bin", boot(BOOT_SIZE - 1024 + 1))
        self.assert_refused("boot.bin has more than the 23552 bytes that fit into the bootloader's area")
        self.write("boot.bin", boot(BOOT_SIZE - 1024))
        self.write("app.bin", application(IMAGE_SIZE_MAX))
        self.assertEqual(self.run_factory().returncode, 0)

    def test_what_the_linker_made_is_told_from_what_goes_into_flash(self):
        for name, good in (("app.bin", application()), ("boot.bin", boot())):
            for elf in (b"\x7fELF", b"\x7fELF" + bytes(FLASH_SIZE)):
                self.write(name, elf)
                self.assert_refused(name + " is an ELF file; what goes into flash is the .bin beside it")
            self.write(name, good)

    def test_an_image_of_another_board_is_refused(self):
        for content in (b"x", bytes(1000), boot(), application(version=0)):
            self.write("app.bin", content)
            self.assert_refused("app.bin is not an application of this board; --image wants")
        for at, stack in ((0, RAM_END), (BOOT_SIZE, 0x20010000), (BOOT_SIZE, 0x10004000), (0x10000, RAM_END)):
            self.write("app.bin", struct.pack("<I", stack) + program(at, b"MUPM")[4:])
            self.assert_refused("app.bin is not linked for the execution slot of this board")
        self.write("app.bin", application())
        for content in (application(), bytes(1000), b"x", program(BOOT_SIZE, b"CUPS")):
            self.write("boot.bin", content)
            self.assert_refused("boot.bin is not a bootloader of this board; --boot wants")

    def test_a_flash_that_exists_is_replaced_by_force_alone(self):
        self.write("d.flash", b"precious")
        self.before.append("d.flash")
        self.before.sort()
        self.assert_refused("d.flash exists; --force replaces")
        self.assertEqual(self.read("d.flash"), b"precious")
        self.assertEqual(self.run_factory("--force").returncode, 0)
        self.assertEqual(len(self.read("d.flash")), FLASH_SIZE)

    def test_a_flash_of_a_device_that_runs_is_not_replaced(self):
        self.write("d.flash", b"precious")
        self.before.append("d.flash")
        self.before.sort()
        with open(self.path("d.flash"), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assert_refused("d.flash is in use by a device that runs", more=("--force",))
        self.assertEqual(self.read("d.flash"), b"precious")

    def test_a_flash_that_cannot_be_written_is_refused(self):
        self.assert_refused("/nowhere/d.flash cannot be written: No such file", flash="/nowhere/d.flash")
        self.assert_refused("cannot be written: Is a directory", more=("--force",), flash=self.folder)
        self.assert_refused("is not a file", more=("--force",), flash="/dev/null")

    def test_a_disk_that_is_full_leaves_nothing(self):
        done = self.run_factory(limit=FLASH_SIZE // 2)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("d.flash cannot be written: File too large", done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), self.before)


class Run(unittest.TestCase):
    """What of `run` is refused before there is a QEMU."""

    def assert_refused(self, said, flash, radio):
        done = subprocess.run([microbit, "run", "--flash", flash, "--radio", radio], capture_output=True, text=True,
                              check=False, env={"PATH": "/nowhere"})
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn(said, done.stderr)

    def test_bad_flash_files_and_sockets_are_named(self):
        import socket
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
            radio, flash = folder + "/radio", folder + "/d.flash"
            listener.bind(radio)
            self.assert_refused(radio + "x is no socket; start the border router first: mup-router", flash, radio + "x")
            self.assert_refused("d.flash: No such file or directory; make a device with mup-microbit factory", flash, radio)
            self.assert_refused(": Is a directory", folder, radio)
            for size in (0, FLASH_SIZE - 1, FLASH_SIZE + 1):
                with open(flash, "wb") as file:
                    file.truncate(size)
                self.assert_refused("d.flash is not a flash of 262144 bytes; make one with", flash, radio)
            with open(flash, "wb") as file:
                file.truncate(FLASH_SIZE)
                fcntl.flock(file, fcntl.LOCK_EX)
                self.assert_refused("d.flash is in use by a device that runs", flash, radio)
            self.assert_refused("install the package qemu-system-arm", flash, radio)


if __name__ == "__main__":
    mup, microbit = sys.argv.pop(), sys.argv.pop()
    unittest.main()
