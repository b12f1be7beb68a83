#!/usr/bin/python3
"""The watchdog beside an emulated micro:bit (firmware/microbit/tool/watchdog.c), with a QEMU that this test plays.

    test_watchdog.py MUP_MICROBIT

A program called qemu-system-arm is found first. It writes what a firmware would make QEMU log, answers
the monitor, and keeps what the watchdog asks of it. A period of one second keeps this short.
"""
import concurrent.futures
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FLASH_SIZE = 256 * 1024
DEADLINE_S = 30
QUIET_S = 4  # long enough for a watchdog of one second to have bitten

WRITE = "nrf51_soc.io: unimplemented device write (size 4, offset 0x%08x, value 0x%08x)\n"
PERIOD = WRITE % (0x10504, 32767)
START = WRITE % (0x10000, 1)
FEED = WRITE % (0x10600, 0x6e524635)
NOISE = "nrf51_soc.io: unimplemented device read (size 4, offset 0x00010400)\nsomething else " + "x" * 600 + "\n"

QEMU = f"""#!{sys.executable}
import os, socket, sys, time
words = sys.argv[1:]
log = os.open(words[words.index("-D") + 1], os.O_WRONLY)
monitor = [word for word in words if word.startswith("socket,id=watchdog,fd=")][0].rpartition("=")[2]
radio = [word for word in words if word.startswith("socket,id=radio,path=")][0].partition("path=")[2]
test = socket.socket(socket.AF_UNIX)
test.connect(radio)
socket.send_fds(test, [words[-1].encode()], [log, int(monitor)])
os.close(log)
os.close(int(monitor))
time.sleep({10 * DEADLINE_S})
"""


def wait_until(condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


class Board:
    """What a QEMU does, from its side of the log and the monitor."""

    def __init__(self, folder):
        flash = folder + "/d.flash"
        with open(flash, "wb") as file:
            file.truncate(FLASH_SIZE)
        with open(folder + "/qemu-system-arm", "w") as file:
            file.write(QEMU)
        os.chmod(folder + "/qemu-system-arm", 0o700)
        self.said = open(folder + "/stderr", "w+")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(folder + "/radio")
            listener.listen()
            listener.settimeout(DEADLINE_S)
            self.process = subprocess.Popen([microbit, "run", "--flash", flash, "--radio", folder + "/radio", "--", "last"],
                                            stderr=self.said, env={**os.environ, "PATH": folder})
            connection, _ = listener.accept()
        with connection:
            last, (log, monitor), _, _ = socket.recv_fds(connection, 16, 2)
        assert last == b"last"
        self.log = open(log, "w")
        self.monitor = socket.socket(fileno=monitor)
        self.asked = []
        self.answers = ("running", 0)  # the status, and after how many seconds
        self.resets = 0
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        try:
            for line in self.monitor.makefile():
                self.take(json.loads(line)["execute"])
        except OSError:
            pass  # the test is over

    def take(self, command):
        status, delay_s = self.answers
        self.asked.append(command)
        reply = {"return": {}}
        if command == "query-status":
            time.sleep(delay_s)
            reply = {"return": {"status": status, "singlestep": False, "running": status == "running"}}
        self.resets += command == "system_reset"
        self.monitor.sendall((json.dumps(reply) + "\r\n").encode())

    def write(self, text):
        self.log.write(text)
        self.log.flush()

    def watchdog(self):
        found = subprocess.run(["/usr/bin/pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return found.stdout.split()

    def end(self):
        """Ends it; what mup-microbit has said."""
        if self.said.closed:
            return ""
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.monitor.close()
        with self.said as said:
            said.seek(0)
            return said.read()


class Watchdog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.board = Board(folder.name)
        self.addCleanup(self.board.end)

    def test_who_is_not_fed_is_reset_and_again_after_the_next_start(self):
        self.board.write(NOISE + PERIOD + START)
        wait_until(lambda: self.board.resets == 1)
        time.sleep(QUIET_S)
        self.assertEqual(self.board.resets, 1)  # the bootloader has not started it again
        self.board.write(START)
        wait_until(lambda: self.board.resets == 2)
        said = self.board.end()
        self.assertEqual(said.count("mup-microbit: watchdog: not fed for "), 2, said)

    def test_who_is_fed_or_never_started_it_is_left_alone(self):
        self.board.write(NOISE + FEED + WRITE % (0x10504, 3 * 32768 - 1))
        time.sleep(QUIET_S)
        self.board.write(START)
        end = time.monotonic() + 2 * QUIET_S
        while time.monotonic() < end:
            self.board.write(FEED)
            time.sleep(0.1)
        self.assertEqual(self.board.asked, ["qmp_capabilities"])

    def test_another_value_is_no_food_and_the_period_stays_when_it_runs(self):
        self.board.write(PERIOD + START + WRITE % (0x10504, 0xffffffff))
        for _ in range(1000):
            if self.board.resets:
                return
            self.board.write(WRITE % (0x10600, 0x6e524634) + WRITE % (0x10604, 0x6e524635))
            time.sleep(0.02)
        self.fail("it was fed by what is no food")

    def test_who_is_stopped_or_does_not_answer_is_spared(self):
        self.board.answers = ("paused", 0)
        self.board.write(PERIOD + START)
        wait_until(lambda: self.board.asked.count("query-status") >= 2)
        self.board.answers = ("running", 2)
        asked = self.board.asked.count("query-status")
        wait_until(lambda: self.board.asked.count("query-status") >= asked + 2)
        self.assertEqual(self.board.resets, 0)

    def test_it_ends_with_its_device_and_the_flash_is_free(self):
        self.board.write(PERIOD + START)
        watchdog, = self.board.watchdog()
        os.kill(self.board.process.pid, signal.SIGKILL)
        self.board.process.wait()
        wait_until(lambda: not os.path.exists(f"/proc/{watchdog}"))
        with open(self.folder + "/d.flash", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def run(test):
    result = unittest.TestResult()
    test.run(result)
    return [str(test) + "\n" + why for _, why in result.failures + result.errors]


if __name__ == "__main__":
    microbit = sys.argv.pop()
    # They wait for most of the time, each with a device of its own.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        problems = sum(pool.map(run, unittest.defaultTestLoader.loadTestsFromTestCase(Watchdog)), [])
    print("\n".join(problems) or "OK")
    sys.exit(bool(problems))
