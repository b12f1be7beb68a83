#!/usr/bin/python3
"""What mup-microbit run makes of names that QEMU or the dynamic linker would take apart.

    test_run.py MUP_MICROBIT

A program called qemu-system-arm is found first; it tells what it was started with and what it has loaded.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

FLASH_SIZE = 256 * 1024
DEADLINE_S = 30
LIBRARY = "mup-qemu-flash.so"

QEMU = f"""#!{sys.executable}
import json, os, sys
children = open(f"/proc/self/task/{{os.getpid()}}/children").read().split()
print(json.dumps(dict(words=sys.argv[1:], flash=os.environ["MUP_QEMU_FLASH"], maps=open("/proc/self/maps").read(),
                      policy=os.sched_getscheduler(0), rank=os.sched_getparam(0).sched_priority,
                      children=[os.sched_getscheduler(int(child)) for child in children])))
"""


class Run(unittest.TestCase):
    def run_in(self, name, *options):
        """What QEMU tells when program, library, flash and radio are in a folder of that name."""
        parent = tempfile.TemporaryDirectory()
        self.addCleanup(parent.cleanup)
        folder = os.path.join(parent.name, name)
        os.mkdir(folder)
        for file in (sys.argv[1], os.path.join(os.path.dirname(sys.argv[1]), LIBRARY)):
            shutil.copy(file, folder)
        with open(folder + "/d.flash", "wb") as flash:
            flash.truncate(FLASH_SIZE)
        with open(parent.name + "/qemu-system-arm", "w") as qemu:
            qemu.write(QEMU)
        os.chmod(qemu.name, 0o700)
        with socket.socket(socket.AF_UNIX) as radio:
            radio.bind(folder + "/radio")
            done = subprocess.run([folder + "/mup-microbit", "run", "--flash", folder + "/d.flash", "--radio", folder + "/radio",
                                   *options],
                                  env={**os.environ, "PATH": parent.name}, capture_output=True, text=True,
                                  timeout=DEADLINE_S, check=True)
        self.assertNotIn("cannot be preloaded", done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["flash"], folder + "/d.flash")
        self.assertIn(f"{folder}/{LIBRARY}", told["maps"])
        told["errors"] = done.stderr
        return told, folder

    def test_a_folder_may_have_spaces_and_colons_in_its_name(self):
        told, folder = self.run_in("a b:c")
        self.assertIn(f"socket,id=radio,path={folder}/radio", told["words"])

    def test_a_folder_may_have_commas_in_its_name(self):
        told, folder = self.run_in("a,b=c,,d")
        self.assertIn(f"socket,id=radio,path={folder.replace(',', ',,')}/radio", told["words"])

    def test_a_device_runs_as_fast_as_qemu_can_unless_told(self):
        told, _ = self.run_in("d")
        self.assertNotIn("-icount", told["words"])
        self.assertEqual(told["policy"], os.SCHED_OTHER)

    def test_in_real_time_it_runs_at_16_mhz_before_all_others_but_for_its_watchdog(self):
        told, _ = self.run_in("d", "--real-time", "--", "-S")
        at = told["words"].index("-icount")
        self.assertEqual(told["words"][at + 1], "shift=6,align=on,sleep=on")
        self.assertEqual(told["words"][-1], "-S")
        self.assertEqual(told["children"], [os.SCHED_OTHER])
        if told["policy"] == os.SCHED_FIFO:
            self.assertEqual(told["rank"], 1)
        else:
            self.assertIn("no real-time priority", told["errors"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
