#!/usr/bin/python3
"""The pictures and the energy estimate of lab/bench, from rows with numbers that stand here.

    test_radio_report.py FOLDER-OF-BENCHES

Exits with 77 without gnuplot.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing is left in the folders of the sources


def layers(size):
    segments = {"without_data": {"frames": 20, "bytes": 1110}, "with_data": {"frames": 30, "bytes": 2220}}
    return {"out": {"publishes": 17, "layers": {"mqtt": {"other": 137}}, "segments": segments},
            "in": {"bytes": 1000 * size, "frames": 10 * size, "publishes": 91, "segments": segments,
                   "layers": {"mac": 31000, "6lowpan": 32000, "tcp": 33000, "again": 0, "unfinished": 0,
                              "mqtt": {"header": 1000, "topic": 2000, "properties": 3000, "payload": 4600, "other": 500}}}}


def row(name, seconds, bytes_in=0, bytes_out=0, **more):
    return {"name": name, "seconds": seconds, "bytes_in": bytes_in, "bytes_out": bytes_out, "limit_seconds": 6.25,
            "ratio": seconds and 6.25 / seconds, "frames": 1234, "retries": 7, "runs": 5,
            "spread": {"seconds": seconds and {"min": seconds - 0.01, "max": seconds + 0.02}},
            "tx_us": 1000000, "rx_us": 8000000, "layers": layers(100), **more}


ROWS = [row("clean", 7.11, 121200, 4440), row("paper-220", 23.11, 190300, 88440), row("paper-600", 14.11, 145600, 41000),
        row("paper-600-rta", 12.34, 144000, 29000), row("paper-220-rta", 22.5, 189000, 55550),
        row("paper-220-paced", 30.1, 188000, 24660), row("rejected-replay", None), row("rejected-downgrade", None)]

DEVICE = {"image_size": 43900, "extended_manifest": {"cycles": 80000000}, "signature_check": {"cycles": 40000000},
          "whole_update": {"cycles": 160000000}}


class Pictures(unittest.TestCase):
    def draw(self, rows):
        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place, True)
        drawn, missing = radio_plot.draw(rows, place)
        texts = {}
        for name in drawn:
            with open(os.path.join(place, name), encoding="utf-8") as file:
                content = file.read()
            self.assertTrue(content.rstrip().endswith("</svg>"), name)
            texts[name] = [re.sub("<[^>]*>", "", text).strip() for text in re.findall("(?s)<text>.*?</text>", content)]
        return texts, missing

    def test_each_figure_is_drawn_with_its_numbers_and_units(self):
        texts, missing = self.draw(ROWS)
        self.assertEqual(missing, [])
        for name, words in {
                "radio-fig6a.svg": ["slice size [bytes]", "time of the transfer [s]", "this lab, windowed credit: 7.1 s",
                                    "604 B", "605 B"],
                "radio-fig6b.svg": ["traffic to the device [kB]", "this lab, windowed credit: 121.2 kB",
                                    "the image alone: 87.8 kB"],
                # The paper's 802.15.4, 6LoWPAN, TCP, MQTT; ours; headers, topics, payload.
                "radio-fig7.svg": ["45.9", "23.8", "16.0", "114.1", "31.0", "32.0", "33.0", "11.1", "1.2", "23.7", "89.3",
                                   "4.0", "2.0", "4.6", "to the device [kB]"],
                "radio-fig8.svg": ["30.2", "15.0", "8.8", "97.4", "31.0", "0.4", "8.7", "88.3"],
                "radio-fig9.svg": ["93.9", "56.5", "25.7", "88.4", "55.6", "24.7", "4.4", "from the device [kB]"],
                "radio.svg": ["146.26 s", "81.54 s", "30.15 s", "17.26 s", "12.3 s", "7.1 s", "6.3 s",
                              "MUP, this lab"]}.items():
            for word in words:
                self.assertIn(word, texts[name], name)

    def test_a_row_that_is_missing_leaves_its_figures_out_and_is_named(self):
        texts, missing = self.draw([one for one in ROWS if one["name"] != "paper-600-rta"])
        self.assertNotIn("radio.svg", texts)
        self.assertEqual(missing, ["radio.svg needs paper-600-rta"])
        texts, missing = self.draw([])
        self.assertEqual((texts, len(missing)), ({}, 6))

    def test_a_row_that_failed_is_missing(self):
        _, missing = self.draw([dict(one, seconds=None) if one["name"] == "paper-220-paced" else one for one in ROWS])
        self.assertEqual(missing, ["radio-fig9.svg needs paper-220-paced"])

    def test_the_numbers_of_others_say_where_they_stand(self):
        data = radio_plot.read_paper()
        paper = data["paper"]
        said = paper["configurations"] + data["others"] + list(paper["layers"].values())[:2] + [paper["slice_sizes"],
                                                                                                paper["acknowledgements"]]
        self.assertTrue(all(isinstance(one, str) or one["from"] for one in said))
        self.assertEqual([one["slices"] for one in paper["configurations"]], [399, 146, 146])

    def test_the_command_names_what_it_cannot_read(self):
        program = os.path.join(folder, "radio_plot.py")
        done = subprocess.run([sys.executable, program, "/nonexistent"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)
        self.assertEqual(subprocess.run([sys.executable, program], capture_output=True, check=False).returncode, 2)


class Tables(unittest.TestCase):
    def test_they_have_our_rows_and_those_of_the_paper(self):
        with tempfile.TemporaryDirectory() as place:
            for name, content in (("rows", ROWS), ("device", DEVICE)):
                with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                    json.dump(content, file)
            done = subprocess.run([sys.executable, os.path.join(folder, "radio_tables.py"),
                                   *(os.path.join(place, name) for name in ("rows", "device"))],
                                  capture_output=True, text=True, check=True)
        for line in ("| `clean` | 7.11 (7.10 to 7.13) | 6.25 | 88% | 121.20 | 4.44 | 1234 | 7 | 5 |",
                     "| `rejected-replay` | – | 6.25 | – | 0.00 | 0.00 | 1234 | 7 | 5 |",
                     "| `paper-220` | 23.11 | 146.26 | 190.30 | 199.77 | −4.7% | 88.44 | 93.91 | −5.8% |",
                     "| 6LoWPAN | 23.76 | 32.00 |",
                     "| `clean`: windowed credit, the default | 7.11 (7.10 to 7.13) | 121.20 | 4.44 | 91 | 17 | 137 | 1.11 |",
                     "| `clean` | 72 | 204 | 332 | 607 | 262 | 870 |"):
            self.assertIn(line + "\n", done.stdout)
        self.assertNotIn("| `qos1`", done.stdout)


class Energy(unittest.TestCase):
    def test_an_update_is_radio_and_processor(self):
        parts = radio_energy.estimate(ROWS[0], DEVICE)
        # 1 s of sending at 24 mA and 3 V. 100,000 bytes in 1,000 frames are 106,000 octets, 3.392 s, at
        # 20 mA, and 4.608 s of listening at 24 mA. 80 + 40 + 2 x 40 million cycles are 12.5 s at 7 mA.
        self.assertAlmostEqual(parts["sending"], 72.0)
        self.assertAlmostEqual(parts["receiving"], 203.52)
        self.assertAlmostEqual(parts["listening"], 331.776)
        self.assertAlmostEqual(parts["processor"], 262.5)
        self.assertAlmostEqual(parts["radio"], 607.296)
        self.assertAlmostEqual(parts["all"], 869.796)

    def test_a_refused_downgrade_costs_two_signatures_and_a_replay_none(self):
        self.assertEqual(radio_energy.estimate(row("rejected-replay", None), DEVICE)["processor"], 0)
        self.assertAlmostEqual(radio_energy.estimate(row("rejected-downgrade", None), DEVICE)["processor"], 105.0)

    def test_a_receiver_that_slept_received_no_longer_than_it_was_on(self):
        parts = radio_energy.estimate(row("sleepy", 9.0, tx_us=0, rx_us=1000000), DEVICE)
        self.assertAlmostEqual(parts["receiving"], 60.0)
        self.assertEqual(parts["listening"], 0)

    def test_rows_of_several_devices_or_without_times_are_left_out(self):
        self.assertTrue(radio_energy.is_estimable(ROWS[0]))
        for one in (row("ten-devices", 70.0, config={"devices": 10}), row("x", 1.0, tx_us=None), {"name": "y"}):
            self.assertFalse(radio_energy.is_estimable(one))

    def test_the_command_prints_a_line_for_each_row(self):
        with tempfile.TemporaryDirectory() as place:
            for name, content in (("rows", ROWS), ("device", DEVICE)):
                with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                    json.dump(content, file)
            command = [sys.executable, os.path.join(folder, "radio_energy.py")]
            files = [os.path.join(place, name) for name in ("rows", "device")]
            done = subprocess.run(command + files, capture_output=True, text=True, check=True)
            self.assertIn("clean                      72.0      203.5      331.8      607.3      262.5      869.8",
                          done.stdout)
            done = subprocess.run(command + ["--json"] + files, capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(done.stdout)["clean"], radio_energy.estimate(ROWS[0], DEVICE))


if __name__ == "__main__":
    if shutil.which("gnuplot") is None:
        sys.exit(77)
    folder = sys.argv.pop()
    sys.path.insert(0, folder)
    import radio_energy  # pylint: disable=import-error
    import radio_plot  # pylint: disable=import-error
    unittest.main()
