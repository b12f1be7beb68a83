"""The tables of docs/results/radio.md and docs/MQTT5.md, from what was measured.

    python3 lab/bench/radio_tables.py ROWS [DEVICE]

ROWS is what `./dev bench radio --json` prints; DEVICE, for the energy, what `./dev bench device
--json` prints. What a row does not have is a dash.
"""
import json
import sys

sys.dont_write_bytecode = True  # nothing is left in the folders of the sources

import radio_energy  # pylint: disable=wrong-import-position
import radio_plot  # pylint: disable=wrong-import-position

MODES = (("clean", "windowed credit, the default"), ("stop-and-wait", "credit of one slice"),
         ("qos1", "QoS 1 and Receive Maximum"), ("paced", "paced"))


def shown(value, form):
    return "–" if value is None else format(value, form)


def in_kb(size):
    return None if size is None else size / 1000


def print_table(title, heads, lines):
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")


def spread_of(row):
    spread = (row.get("spread") or {}).get("seconds")
    return f" ({spread['min']:.2f} to {spread['max']:.2f})" if spread else ""


def result_lines(rows):
    for row in rows:
        yield (f"`{row['name']}`", shown(row["seconds"], ".2f") + spread_of(row), shown(row["limit_seconds"], ".2f"),
               shown(row["ratio"], ".0%"), shown(in_kb(row["bytes_in"]), ".2f"), shown(in_kb(row["bytes_out"]), ".2f"),
               str(row["frames"]), str(row["retries"]), str(row.get("runs", "–")))


def beside(ours, theirs):
    return f"{ours:.2f}", f"{theirs:.2f}", f"{(ours / theirs - 1):+.1%}".replace("-", "−")


def paper_lines(by_name, paper):
    for one in paper["configurations"]:
        row = by_name.get(one["row"])
        if row is not None:
            yield (f"`{one['row']}`", f"{row['seconds']:.2f}", f"{one['seconds']:.2f}",
                   *beside(row["bytes_in"] / 1000, one["in_kb"]), *beside(row["bytes_out"] / 1000, one["out_kb"]))


def layer_lines(by_name, paper, size):
    theirs = radio_plot.derive_paper(paper, size)
    ours = radio_plot.our_layers(by_name[f"paper-{size}"])
    for names, paper_part, our_part in zip((radio_plot.LAYER_NAMES, radio_plot.PART_NAMES), theirs, ours):
        for key, label in names:
            yield label, f"{paper_part[key]:.2f}", f"{our_part[key]:.2f}"
    layers = by_name[f"paper-{size}"]["layers"]["in"]["layers"]
    yield "sent again, unfinished", "–", f"{(layers['again'] + layers['unfinished']) / 1000:.2f}"


def mode_lines(by_name):
    for name, label in MODES:
        row = by_name.get(name)
        if row is None or not row.get("layers"):
            continue
        incoming, outgoing = row["layers"]["in"], row["layers"]["out"]
        yield (f"`{name}`: {label}", shown(row["seconds"], ".2f") + spread_of(row), f"{row['bytes_in'] / 1000:.2f}",
               f"{row['bytes_out'] / 1000:.2f}", str(incoming["publishes"]), str(outgoing["publishes"]),
               str(outgoing["layers"]["mqtt"]["other"]), f"{outgoing['segments']['without_data']['bytes'] / 1000:.2f}")


def energy_lines(rows, device):
    for row in rows:
        if radio_energy.is_estimable(row):
            parts = radio_energy.estimate(row, device)
            yield (f"`{row['name']}`", *(f"{parts[key]:.0f}" for key in
                                         ("sending", "receiving", "listening", "radio", "processor", "all")))


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stdout if "--help" in sys.argv else sys.stderr)
        return 0 if "--help" in sys.argv else 2
    try:
        read = []
        for path in sys.argv[1:]:
            with open(path, encoding="utf-8") as file:
                read.append(json.load(file))
    except (OSError, ValueError) as error:
        print(f"radio_tables: {error}", file=sys.stderr)
        return 1
    rows, paper = read[0], radio_plot.read_paper()["paper"]
    by_name = {row["name"]: row for row in rows}
    print_table("Rows", ("row", "seconds, median (range)", "limit, s", "of it reached", "to device, kB", "from it, kB",
                         "frames", "retries", "runs"), result_lines(rows))
    print_table("The paper's Table 7", ("row", "seconds", "paper", "to device, kB", "paper", "", "from it, kB", "paper",
                                        ""), paper_lines(by_name, paper))
    for size in (220, 600):
        if f"paper-{size}" in by_name:
            print_table(f"Slices of {size} bytes", ("kB to the device", "paper", "here"), layer_lines(by_name, paper, size))
    print_table("Modes", ("mode", "seconds, median (range)", "to device, kB", "from it, kB", "PUBLISH to it",
                          "PUBLISH from it", "other packets from it, bytes", "TCP without data from it, kB"),
                mode_lines(by_name))
    if len(read) == 2:
        print_table("Energy, mJ", ("row", "sending", "receiving", "listening", "radio", "processor", "all"),
                    energy_lines(rows, read[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
