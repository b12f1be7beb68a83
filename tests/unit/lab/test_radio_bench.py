"""The rules of ./dev bench radio: what counts, what is repeated, what a row says (lab/bench/radio)."""
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
import unittest

sys.dont_write_bytecode = True

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../lab/bench/radio")


def load():
    loader = importlib.machinery.SourceFileLoader("radio", PATH)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("radio", loader))
    loader.exec_module(module)
    module.say = lambda text: None
    return module


radio = load()


def result(name, seed, seconds=7.5, late_us=100, starved_us=1000, **more):
    return {"name": name, "seed": seed, "seconds": seconds, "bytes_in": 125000, "bytes_out": 4000, "frames": 1000,
            "retries": 5, "ratio": 0.9, "lateness_us": {"p99": late_us}, "starved_us": {"p99": starved_us},
            "nodes": [], **more}


class FakeLab:
    """Says what a script of results has for a row, the same again when there is no more."""

    script = {}
    running = largest = 0
    lock = threading.Lock()

    def __init__(self, programs):
        self.programs = programs

    def ask(self, line):
        run = json.loads(line)
        weight = radio.ROWS[run["name"]].get("weight", 1)
        with FakeLab.lock:
            FakeLab.running += weight
            FakeLab.largest = max(FakeLab.largest, FakeLab.running)
            said = FakeLab.script[run["name"]]
            answer = said.pop(0) if len(said) > 1 else said[0]
        with FakeLab.lock:
            FakeLab.running -= weight
        return None if answer is None else {**answer, "seed": run["seed"], "router": run["router"]}

    def end(self):
        pass


class Runs(unittest.TestCase):
    def setUp(self):
        radio.Lab = FakeLab
        FakeLab.largest = 0
        self.complete = []

    def bench(self, names, seeds=1, labs=2, discards=True, **script):
        FakeLab.script = {name.replace("_", "-"): said for name, said in script.items()}
        runs = [radio.Run(name, seed, "/nowhere") for name in names for seed in range(1, seeds + 1)]
        bench = radio.Bench(runs, "bin", labs, discards, lambda *row: self.complete.append(row))
        bench.run()
        return bench

    def test_a_late_run_is_discarded_and_repeated_with_other_chance(self):
        bench = self.bench(["clean"], clean=[result("clean", 1, late_us=1001), result("clean", 1, seconds=8)])
        self.assertEqual([run["seconds"] for run in bench.results["clean"]], [8])
        self.assertEqual(bench.results["clean"][0]["router"], ["--air", "--seed", "1001"])
        self.assertEqual(len(bench.discarded["clean"]), 1)
        self.assertEqual(bench.failed, {})

    def test_a_run_of_starved_devices_is_discarded_and_repeated(self):
        bench = self.bench(["clean"], clean=[result("clean", 1, starved_us=5001), result("clean", 1, seconds=8)])
        self.assertEqual([run["seconds"] for run in bench.results["clean"]], [8])
        self.assertEqual(bench.discarded["clean"], ["p99 of the wait for a processor was 5001 us"])

    def test_a_run_that_is_just_in_time_counts(self):
        bench = self.bench(["clean"], clean=[result("clean", 1, late_us=1000, starved_us=5000)])
        self.assertEqual(len(bench.results["clean"]), 1)
        self.assertEqual(bench.discarded, {})

    def test_a_quick_bench_discards_nothing_that_came_to_its_end(self):
        bench = self.bench(["clean"], discards=False, clean=[result("clean", 1, late_us=50000)])
        self.assertEqual(len(bench.results["clean"]), 1)

    def test_what_is_always_late_is_no_result(self):
        bench = self.bench(["clean"], clean=[result("clean", 1, late_us=2000)])
        self.assertNotIn("clean", bench.results)
        self.assertEqual(len(bench.failed["clean"]), 1)
        self.assertEqual(len(bench.discarded["clean"]), radio.ATTEMPTS_MAX - 1)
        self.assertEqual(self.complete, [])

    def test_a_run_that_fails_is_tried_once_more(self):
        bench = self.bench(["clean"], clean=[{"error": "no"}, {"error": "no, again"}, result("clean", 1)])
        self.assertEqual(bench.failed, {"clean": ["no, again"]})

    def test_a_row_says_which_of_its_runs_failed(self):
        self.bench(["clean"], seeds=2, labs=1, clean=[{"error": "no"}, {"error": "not this either"}, result("clean", 1)])
        self.assertEqual([(len(runs), failed) for _, runs, _, failed in self.complete], [(1, ["not this either"])])

    def test_a_lab_that_dies_is_replaced(self):
        bench = self.bench(["clean", "loss10"], labs=1, clean=[None, result("clean", 1)], loss10=[result("loss10", 1)])
        self.assertEqual(sorted(bench.results), ["clean", "loss10"])

    def test_a_row_is_told_once_when_its_last_run_is_done(self):
        self.bench(["clean", "loss10"], seeds=3, clean=[result("clean", 1, late_us=2000), result("clean", 1)],
                   loss10=[result("loss10", 1)])
        self.assertEqual(sorted((name, len(runs), len(discarded), failed)
                                for name, runs, discarded, failed in self.complete),
                         [("clean", 3, 1, []), ("loss10", 3, 0, [])])

    def test_heavy_runs_leave_room_for_no_more_than_all_labs(self):
        self.bench(["ten-devices", "clean"], seeds=3, labs=3, ten_devices=[result("ten-devices", 1)],
                   clean=[result("clean", 1)])
        self.assertLessEqual(FakeLab.largest, 3)
        self.assertEqual(len(self.complete), 2)

    def test_a_heavy_run_comes_to_its_turn_where_there_is_one_lab(self):
        self.bench(["ten-devices"], labs=1, ten_devices=[result("ten-devices", 1)])
        self.assertEqual(len(self.complete), 1)


class Rows(unittest.TestCase):
    def test_a_row_has_the_figures_of_its_median_run_and_the_spread_of_all(self):
        runs = [result("clean", seed, seconds=seconds, bytes_in=seed)
                for seed, seconds in enumerate((7.9, 7.1, 7.5, 30.0, 7.2), 1)]
        row, run = radio.make_row("clean", runs, [], [])
        self.assertEqual((row["seconds"], row["bytes_in"], run["seed"]), (7.5, 3, 3))
        self.assertEqual(row["spread"]["seconds"], {"min": 7.1, "max": 30.0})
        self.assertEqual((row["runs"], row["seeds"]), (5, [1, 2, 3, 4, 5]))

    def test_of_two_runs_the_worse_one_speaks(self):
        row, _ = radio.make_row("clean", [result("clean", 1, seconds=7.2), result("clean", 2, seconds=7.9)], [], [])
        self.assertEqual(row["seconds"], 7.9)

    def test_a_refusal_has_no_seconds_and_is_ordered_by_its_bytes(self):
        runs = [result("rejected-replay", seed, seconds=None, bytes_in=size) for seed, size in enumerate((900, 500, 700), 1)]
        row, _ = radio.make_row("rejected-replay", runs, [], [])
        self.assertEqual(row["bytes_in"], 700)
        self.assertIsNone(row["spread"]["seconds"])

    def test_rows_are_set_beside_each_other(self):
        def row(name, seconds, **more):
            return {"name": name, "seconds": seconds, "bytes_in": 900, "bytes_out": 300, **more}

        rows = {"clean": row("clean", 8.0), "loaded": row("loaded", 8.4), "paper-600-rta": row("paper-600-rta", 12.0),
                "ten-devices": row("ten-devices", 88.0), "rejected-replay": row("rejected-replay", None),
                "rejected-downgrade": row("rejected-downgrade", None, bytes_out=400),
                "two-devices": row("two-devices", 15.0, devices=[{"seconds": 12.0}, {"seconds": 15.0}])}
        radio.compare(rows)
        self.assertEqual(rows["clean"]["times_faster_than_paper"], 10.19)
        self.assertEqual(rows["clean"]["times_faster_than_method"], 1.5)
        self.assertEqual(rows["loaded"]["times_clean"], 1.05)
        self.assertEqual(rows["ten-devices"]["times_single"], 11.0)
        self.assertEqual(rows["two-devices"]["fairness"], 0.8)
        self.assertEqual((rows["rejected"]["bytes"], rows["rejected"]["name"]), (1300, "rejected"))

    def test_bytes_that_tshark_does_not_see_are_complained_of(self):
        row = {"name": "clean", "bytes_in": 5, "bytes_out": 7, "tshark_bytes_in": 5, "tshark_bytes_out": 7, "problems": []}
        self.assertEqual(list(radio.complaints(row)), [])
        self.assertEqual(list(radio.complaints({**row, "tshark_bytes_out": 8})),
                         ["clean: 7 bytes out by the report, 8 by tshark"])
        self.assertEqual(list(radio.complaints({**row, "problems": ["malformed frame"]})), ["clean: malformed frame"])

    def test_every_row_of_the_bench_is_one_that_bench_radio_takes(self):
        for name, row in radio.ROWS.items():
            self.assertTrue(radio.Run(name, 1, "/nowhere").line(), name)
            self.assertGreaterEqual(row["seeds"], 1)


if __name__ == "__main__":
    unittest.main()
