"""What an update costs a battery, estimated from measured time on the air and counted cycles.

    python3 lab/bench/radio_energy.py [--json] ROWS DEVICE

ROWS is what `./dev bench radio --json` prints, DEVICE what `./dev bench device --json` prints. For
each row that has an update or a refusal of one device, in mJ:

    sending      the transmitter is on (tx_us of the row)
    receiving    the receiver is on and a frame for the device is on the air: its PSDU bytes and the
                 6 before them, 32 us each
    listening    the receiver is on and nothing comes for it (the rest of rx_us)
    processor    cycles at 16 MHz: the update, its signatures, the boot with the swap of the slots

The currents are the CC2538's, the paper's device: SWRS096D, section 5.4, at 3.0 V and 25 degrees,
typical values; those of the radio hold while the processor is idle, and the processor's is added on
top of them, so that the sum is a little too large. The cycles are a Cortex-M0's. Neither erasing
nor writing flash is in it, nor what a device takes while it sleeps.
"""
import argparse
import json
import sys

SUPPLY_V = 3.0
# SWRS096D section 5.4: transmitting at 0 dBm; receiving at -50 dBm; waiting for a signal (-100 dBm);
# processor at 16 MHz with flash access, no radio, no crystal.
SENDING_MA, RECEIVING_MA, LISTENING_MA, PROCESSOR_MA = 24.0, 20.0, 24.0, 7.0
OCTET_US = 32        # IEEE 802.15.4-2020 sections 12.2.4, 12.3.3: 2 symbols of 16 us
PHY_OCTETS = 6       # 12.1.2: preamble, start of frame, length
CLOCK_HZ = 16000000
IMAGE_SIZE = 87800


def spent_mj(milliamperes, microseconds):
    return milliamperes * SUPPLY_V * microseconds / 1e6


def update_cycles(device, image_size=IMAGE_SIZE):
    """Of a whole update: what does not depend on the image's size, and what grows with it."""
    def cycles(row):
        return device[row]["cycles"]

    fixed = cycles("extended_manifest") + cycles("signature_check")
    growing = cycles("whole_update") - fixed
    return fixed + growing * image_size / device["image_size"]


def refusal_cycles(row, device):
    """A downgrade is refused behind both signatures (docs/SPEC.md section 19), a replay at its nonce."""
    return device["extended_manifest"]["cycles"] if "downgrade" in row["name"] else 0


def estimate(row, device):
    """mJ of each part and of all, for a row of one device with tx_us and rx_us."""
    is_refusal = row["name"].startswith("rejected")
    cycles = refusal_cycles(row, device) if is_refusal else update_cycles(device)
    incoming = row["layers"]["in"]
    receiving_us = min(row["rx_us"], OCTET_US * (incoming["bytes"] + PHY_OCTETS * incoming["frames"]))
    parts = {"sending": spent_mj(SENDING_MA, row["tx_us"]),
             "receiving": spent_mj(RECEIVING_MA, receiving_us),
             "listening": spent_mj(LISTENING_MA, row["rx_us"] - receiving_us),
             "processor": spent_mj(PROCESSOR_MA, cycles / CLOCK_HZ * 1e6)}
    return {**parts, "radio": parts["sending"] + parts["receiving"] + parts["listening"], "all": sum(parts.values())}


def is_estimable(row):
    """A row of one device that was measured; `rejected` only repeats one of the two refusals."""
    return (row["name"] != "rejected" and row.get("tx_us") is not None and row.get("rx_us") is not None and row.get("layers") is not None
            and row.get("config", {}).get("devices", 1) == 1)


def main():
    parser = argparse.ArgumentParser(description="Energy of an update, in mJ.")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("rows")
    parser.add_argument("device")
    asked = parser.parse_args()
    try:
        with open(asked.rows, encoding="utf-8") as file:
            rows = json.load(file)
        with open(asked.device, encoding="utf-8") as file:
            device = json.load(file)
    except (OSError, ValueError) as error:
        print(f"radio_energy: {error}", file=sys.stderr)
        return 1
    made = {row["name"]: estimate(row, device) for row in rows if is_estimable(row)}
    if asked.json:
        print(json.dumps(made, indent=2))
        return 0
    columns = ("sending", "receiving", "listening", "radio", "processor", "all")
    print(f"{'mJ':<20}" + "".join(f"{column:>11}" for column in columns))
    for name, parts in made.items():
        print(f"{name:<20}" + "".join(f"{parts[column]:>11.1f}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
