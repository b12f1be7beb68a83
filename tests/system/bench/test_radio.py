"""Whether ./dev bench radio works: its quick rows over the paced radio, in a minute.

    python3 test_radio.py ROOT BIN_FOLDER

Updates and refusals must come to their end, and the bytes of the report must be those that tshark
sees (the bench's exit code says both). How fast anything was is looked at only when the radio was
in time, and then with margins that no machine's load takes up: what the figures are is measured
elsewhere. Exits with 77 where an emulated micro:bit cannot be had.
"""
import json
import os
import shutil
import subprocess
import sys

SKIPPED = 77
LATE_US_MAX = 1000
WANTED = {"clean", "loss10", "paper-600-rta", "rejected-replay", "rejected-downgrade", "rejected"}
# Row, what, the most: wide margins around what docs/results/radio.md says.
BOUNDS = (("clean", "seconds", 16), ("loss10", "seconds", 40), ("clean", "bytes_in", 145000), ("clean", "bytes_out", 12000),
          ("paper-600-rta", "bytes_in", 166000), ("paper-600-rta", "bytes_out", 34000), ("rejected", "bytes", 2500))


def check(rows):
    assert set(rows) == WANTED, sorted(rows)
    for row in rows.values():
        assert row["bytes_in"] > 0 and row["bytes_out"] > 0, row["name"]
        assert row["name"].startswith("rejected") or row["payload_size"] > row["config"]["image_size"], row["name"]
    for name, key, most in BOUNDS:
        if rows[name]["late_p99_us"] <= LATE_US_MAX:
            assert rows[name][key] <= most, f"{name}: {key} is {rows[name][key]}, at most {most}"
        else:
            print(f"{name}: frames were late, so nothing is said of its {key}")
    # A refusal costs next to nothing beside a transfer, and a lost frame is sent again.
    assert rows["rejected"]["bytes"] < rows["clean"]["bytes_in"] / 20
    assert rows["loss10"]["retries"] > rows["clean"]["retries"]


def main():
    root, folder = sys.argv[1:]
    firmware = os.path.join(root, "build/microbit/bin/microbit-boot.bin")
    if not shutil.which("qemu-system-arm") or not os.access(firmware, os.R_OK):
        return SKIPPED
    done = subprocess.run([os.path.join(root, "lab/bench/radio"), "--quick", "--json", "--built", folder],
                          stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, f"the bench exited with {done.returncode}"
    check({row["name"]: row for row in json.loads(done.stdout)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
