"""Draws the paper's Figures 6 to 9, ours beside the paper's, and the one plot of the README.

    python3 lab/bench/radio_plot.py ROWS [FOLDER]

ROWS is the list that `./dev bench radio --json` prints, FOLDER where the pictures go (docs/results
unless told). The numbers of others are in radio_paper.json, each with where it stands. Drawn by
gnuplot, in black and shades of grey, so that print keeps them. A figure whose rows are not there is
left out, and named on standard error. Exits with 1 when none could be drawn.
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing is left in the folders of the sources

HERE = os.path.dirname(os.path.abspath(__file__))
SWEEP = re.compile(r"^paper-(\d+)(-rta)?$")
DARK, LIGHT = "#202020", "#c8c8c8"
ROUND_UP = 1e-9  # 30.15 is 30.2 to a reader, whatever binary makes of it
HEAD = """set terminal svg size {width},{height} fixed enhanced font 'sans-serif,14' background '#ffffff'
set output '{path}'
set encoding utf8
set border 3
set tics nomirror out
set grid ytics lc '#dddddd' lt 1
set style fill solid border lc '#000000'
"""
LAYER_NAMES = (("mac", "802.15.4"), ("6lowpan", "6LoWPAN"), ("tcp", "TCP"), ("mqtt", "MQTT"))
PART_NAMES = (("header", "headers"), ("topic", "topic names"), ("payload", "payload"))


class Missing(Exception):
    """A row that a figure needs is not there."""


class Rows:
    def __init__(self, rows):
        self.by_name = {row["name"]: row for row in rows}

    def get(self, *names):
        """The first of these rows that is there and has no error."""
        for name in names:
            row = self.by_name.get(name)
            if row is not None and row.get("seconds") is not None:
                return row
        raise Missing(" or ".join(names))

    def sweep(self, with_alias):
        """(slice size, row) of the paper's method, by size."""
        found = []
        for name, row in self.by_name.items():
            match = SWEEP.match(name)
            if match and bool(match.group(2)) == with_alias and row.get("seconds") is not None:
                found.append((int(match.group(1)), row))
        return sorted(found, key=lambda pair: pair[0])


def kb(size):
    return size / 1000


def quote(text):
    """Between double quotes, in which gnuplot knows \\n."""
    return '"' + text.replace("\n", "\\n") + '"'


def block(name, lines):
    return "$" + name + " << EOD\n" + "".join(" ".join(str(word) for word in line) + "\n" for line in lines) + "EOD\n"


def gnuplot(path, width, height, text):
    script = HEAD.format(path=path.replace("'", "''"), width=width, height=height) + text
    done = subprocess.run(["gnuplot", "-"], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        raise OSError("gnuplot: " + done.stderr.strip())


# ---- Figures 6a and 6b: slice sizes ----

def slice_figure(path, rows, text, ours, theirs):
    """One point for each slice size: `ours` reads a row, `theirs` are pairs with and without the alias."""
    with_alias, without = rows.sweep(True), rows.sweep(False)
    if len(with_alias) + len(without) < 2:
        raise Missing("paper-220, paper-600 and other sizes")
    data = [("ours_rta", [(size, ours(row)) for size, row in with_alias]),
            ("ours", [(size, ours(row)) for size, row in without]),
            ("paper_rta", theirs[0]), ("paper", theirs[1])]
    plots = {"ours_rta": "with linespoints lc '#000000' lw 1.5 pt 7 ps 0.8 title 'this lab, the paper''s method, response alias'",
             "ours": "with points lc '#000000' lw 1.5 pt 6 ps 0.9 title 'this lab, the paper''s method, no alias'",
             "paper_rta": "with points lc '#606060' pt 9 ps 1.1 title 'paper, response alias'",
             "paper": "with points lc '#606060' lw 1.5 pt 8 ps 1.1 title 'paper, no alias'"}
    there = [(name, points) for name, points in data if points]
    gnuplot(path, 720, 430, "".join(block(name, points) for name, points in there) + text + "plot " +
            ", ".join(f"${name} {plots[name]}" for name, _ in there) + ", \\\n" + "NaN notitle\n")


def figure_6a(path, rows, paper):
    sizes = paper["slice_sizes"]
    default = rows.get("clean")["seconds"]
    slice_figure(path, rows, f"""set xlabel 'slice size [bytes]'
set ylabel 'time of the transfer [s]'
set xrange [200:900]
set yrange [0:240]
set key top right
set label '604 B' at 616,111.17
set label '605 B' at 616,173.22
set arrow from 200,{default} to 900,{default} nohead lc '#000000' lw 1.2 dt 2
set label 'this lab, windowed credit: {default:.1f} s' at 895,{default} offset 0,0.8 right
""", lambda row: row["seconds"], (sizes["seconds"], sizes["without_alias"]))


def figure_6b(path, rows, paper):
    sizes = paper["slice_sizes"]
    default = kb(rows.get("clean")["bytes_in"])
    slice_figure(path, rows, f"""set xlabel 'slice size [bytes]'
set ylabel 'traffic to the device [kB]'
set xrange [200:900]
set yrange [0:260]
set key top right
set arrow from 200,{paper["image_kb"]} to 900,{paper["image_kb"]} nohead lc '#606060' lw 1.2 dt 3
set label 'the image alone: {paper["image_kb"]} kB' at 895,{paper["image_kb"]} offset 0,-0.8 right tc '#404040'
set arrow from 200,{default} to 900,{default} nohead lc '#000000' lw 1.2 dt 2
set label 'this lab, windowed credit: {default:.1f} kB' at 895,{default} offset 0,-0.8 right
""", lambda row: kb(row["bytes_in"]), (sizes["in_kb"], sizes["in_kb_without_alias"]))


# ---- Figures 7 and 8: protocol layers ----

def derive_paper(paper, size):
    """The paper's bytes by layer (kB): what its text gives, and what follows from its sizes."""
    given = paper["layers"][str(size)]
    derived = given["derived"]
    parts = {"header": kb(3 * derived["slices"]), "topic": given["topic_kb"],
             "payload": paper["image_kb"] + kb(derived["number_bytes"])}
    layers = {"mac": kb(23 * derived["frames"] * derived["slices"]),
              "tcp": kb(20 * derived["segments"] * derived["slices"]), "mqtt": sum(parts.values())}
    layers["6lowpan"] = given["in_kb"] - sum(layers.values())
    return layers, parts


def our_layers(row):
    layers = row["layers"]["in"]["layers"]
    mqtt = layers["mqtt"]
    ours = {name: kb(layers[name]) for name in ("mac", "6lowpan", "tcp")}
    ours["mqtt"] = kb(sum(mqtt.values()))
    return ours, {"header": kb(mqtt["header"] + mqtt["properties"]), "topic": kb(mqtt["topic"]),
                  "payload": kb(mqtt["payload"])}


def bars(name, pairs, their_title):
    """Bars beside each other, (label, theirs or None, ours), with their numbers above them."""
    lines = [(*(("NaN", '""') if theirs is None else (theirs, f"{theirs + ROUND_UP:.1f}")), ours, f"{ours + ROUND_UP:.1f}")
             for _, theirs, ours in pairs]
    tics = ", ".join(f"{quote(label)} {number}" for number, (label, _, _) in enumerate(pairs))
    return block(name, lines), f"""set xtics ({tics}) scale 0
set xrange [-0.6:{len(pairs) - 0.4}]
plot ${name} using ($0-0.19):1:(0.36) with boxes lc '{LIGHT}' title '{their_title}', \\
'' using ($0+0.19):3:(0.36) with boxes lc '{DARK}' title 'this lab', \\
'' using ($0-0.21):1:2 with labels font ',12' offset 0,0.6 notitle, \\
'' using ($0+0.23):3:4 with labels font ',12' offset 0,0.6 notitle
"""


def layer_figure(path, rows, paper, size):
    row = rows.get(f"paper-{size}")
    if "layers" not in row:
        raise Missing(f"paper-{size} with its layers")
    their_layers, their_parts = derive_paper(paper, size)
    ours, parts = our_layers(row)
    layer_block, layer_plot = bars("layers", [(label, their_layers[key], ours[key]) for key, label in LAYER_NAMES],
                                   "paper, in part derived")
    part_block, part_plot = bars("parts", [(label, their_parts[key], parts[key]) for key, label in PART_NAMES],
                                 "paper, in part derived")
    top = max(list(their_layers.values()) + list(ours.values())) * 1.3
    gnuplot(path, 920, 400, layer_block + part_block + f"""set multiplot layout 1,2
set ylabel 'to the device [kB]'
set yrange [0:{top}]
set key top left
set title 'a: by protocol, slices of {size} bytes'
{layer_plot}set title 'b: of MQTT'
unset ylabel
{part_plot}unset multiplot
""")


# ---- Figure 9: acknowledgements ----

def figure_9(path, rows, paper):
    theirs = paper["acknowledgements"]["out_kb"]
    wanted = (("without_alias", "acknowledged,\nno alias", "paper-220"),
              ("with_alias", "acknowledged,\nresponse alias", "paper-220-rta"),
              ("paced", "paced, only TCP\nacknowledges", "paper-220-paced"))
    pairs = [(label, theirs[key], kb(rows.get(name)["bytes_out"])) for key, label, name in wanted]
    pairs.append(("windowed credit\n(default here)", None, kb(rows.get("clean")["bytes_out"])))
    data, plot = bars("acks", pairs, "paper")
    gnuplot(path, 760, 430, data + f"""set ylabel 'from the device [kB]'
set yrange [0:115]
set bmargin 4
set key top right
{plot}""")


# ---- the one plot ----

def overview(path, rows, data):
    paper = data["paper"]
    clean = rows.get("clean")
    # (label, seconds, ours?), the slowest first.
    lines = [(f"paper, {one['from'].split(', ')[-1]}", one["seconds"], 0)
             for one in paper["configurations"] if one["row"] in ("paper-220", "paper-600-rta")]
    lines += [(one["label"], one["seconds"], 0) for one in data["others"]]
    lines.append(("paper's method, this lab", rows.get("paper-600-rta")["seconds"], 1))
    lines.append(("MUP, this lab", clean["seconds"], 1))
    lines.append(("limit of the link", clean["limit_seconds"], 2))
    # What others publish stands as they publish it.
    numbered = [(len(lines) - i, seconds, kind, quote(f"{seconds} s" if kind == 0 else f"{seconds + ROUND_UP:.1f} s"))
                for i, (_, seconds, kind) in enumerate(lines)]
    tics = ", ".join(f"{quote(label)} {len(lines) - i}" for i, (label, _, _) in enumerate(lines))
    colours = (LIGHT, DARK, "#ffffff")
    gnuplot(path, 760, 380, block("bars", numbered) + f"""set xlabel 'seconds for a firmware of {paper["image_kb"]} kB over IEEE 802.15.4 (250 kbit/s)'
set xrange [0:165]
set yrange [0.4:{len(lines) + 0.6}]
set ytics ({tics}) scale 0
unset grid
set grid xtics lc '#dddddd' lt 1
set key bottom right
set style fill solid border lc '#000000'
plot """ + ", \\\n".join(
        f"$bars using (0):($3=={kind}?$1:NaN):(0):2:($1-0.36):($1+0.36) with boxxyerror lc '{colours[kind]}' title '{title}'"
        for kind, title in enumerate(("published", "measured here", "computed"))) +
        ", \\\n$bars using 2:1:4 with labels left offset 0.5,0 notitle\n")


FIGURES = (
    ("radio-fig6a.svg", figure_6a),
    ("radio-fig6b.svg", figure_6b),
    ("radio-fig7.svg", lambda path, rows, paper: layer_figure(path, rows, paper, 220)),
    ("radio-fig8.svg", lambda path, rows, paper: layer_figure(path, rows, paper, 600)),
    ("radio-fig9.svg", figure_9),
)


def read_paper():
    with open(os.path.join(HERE, "radio_paper.json"), encoding="utf-8") as file:
        return json.load(file)


def draw(rows, folder):
    """Draw what can be drawn of that list of rows; (names of files, what is missing)."""
    if shutil.which("gnuplot") is None:
        raise OSError("there is no gnuplot here; install the Debian package gnuplot-nox")
    data, rows = read_paper(), Rows(rows)
    drawn, missing = [], []
    for name, figure in FIGURES + (("radio.svg", None),):
        path = os.path.join(folder, name)
        try:
            if figure is None:
                overview(path, rows, data)
            else:
                figure(path, rows, data["paper"])
            drawn.append(name)
        except Missing as row:
            missing.append(f"{name} needs {row}")
    return drawn, missing


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stdout if "--help" in sys.argv else sys.stderr)
        return 0 if "--help" in sys.argv else 2
    folder = sys.argv[2] if len(sys.argv) == 3 else os.path.join(HERE, "../../docs/results")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            rows = json.load(file)
        drawn, missing = draw(rows, folder)
    except (OSError, ValueError) as error:
        print(f"radio_plot: {sys.argv[1]}: {error}", file=sys.stderr)
        return 1
    for line in missing:
        print(f"radio_plot: left out: {line}", file=sys.stderr)
    print("drawn: " + (", ".join(drawn) or "nothing"))
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
