"""Joins the JSON objects of the bridge's benchmarks, and prints them or a table for people.

    python3 bridge_report.py --json|'' FILE...
"""
import json
import sys

# What each figure should not exceed (docs/results/bridge.md).
GOALS = {
    "modules_1000_ms": 5000, "module_kb": 30, "module_more_ms": 10, "device_kb": 8,
    "rpc_overhead_us": 1000, "get_10000_ms": 500, "get_10000_rpc_p99_ms": 250,
}


def times_faster(result):
    """How many times faster than rdflib, for each description."""
    for key in ("rdflib", "rdflib_prepared"):
        theirs = result.get(key + "_ms", {})
        result["times_faster_than_" + key] = {
            name: round(ms / result["describe_ms"][name], 1) for name, ms in theirs.items()}


def table(result):
    print("description                    triples  text to capability   with YANG   triples/s"
          "      rdflib    prepared")
    for name, ms in result["describe_ms"].items():
        print("%-30s %7d %16.2f ms %8.2f ms %11.0f %8.1f ms %8.1f ms" % (
            name, result["triples"][name], ms, result["describe_yang_ms"][name],
            result["triples_per_s"][name], result["rdflib_ms"].get(name, float("nan")),
            result["rdflib_prepared_ms"].get(name, float("nan"))))


def main():
    result = {}
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            result.update(json.load(file))
    times_faster(result)
    if sys.argv[1] == "--json":
        print(json.dumps(result, indent=2))
        return
    table(result)
    shown = {"describe_ms", "describe_yang_ms", "triples", "triples_per_s", "rdflib_ms",
             "rdflib_prepared_ms"}
    for key, value in result.items():
        if key in shown or isinstance(value, (dict, list)):
            continue
        goal = GOALS.get(key)
        print("%-30s %12.1f%s" % (key, value, "" if goal is None else "  at most %d%s" % (
            goal, "" if value <= goal else ", MISSED")))


main()
