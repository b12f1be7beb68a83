"""The same way with python3-rdflib, JSON-LD text to the answers of the same queries: milliseconds,
once with queries that are parsed each time and once with prepared ones. Making a capability of the
answers is left out, which is in rdflib's favour. Prints one JSON object.

    python3 rdflib_describe.py FILE...
"""
import json
import pathlib
import statistics
import sys
import time

QUERIES = pathlib.Path(__file__).resolve().parents[2] / "edge/bridge/description/queries"
ONEM2M = "http://www.onem2m.org/ontology/Base_Ontology/base_ontology#"
RUNS = 7

try:
    import rdflib
    from rdflib.plugins.sparql import prepareQuery
except ImportError:
    rdflib = None


def answers(text, queries):
    """Read, say what hasService and hasSubService reach, and ask."""
    graph = rdflib.Graph()
    graph.parse(data=text, format="json-ld")
    has_service = rdflib.URIRef(ONEM2M + "hasService")
    has_sub_service = rdflib.URIRef(ONEM2M + "hasSubService")
    reaches = rdflib.URIRef("urn:mup:reaches")
    for device, service in list(graph.subject_objects(has_service)):
        for reached in list(graph.transitive_objects(service, has_sub_service)):
            graph.add((device, reaches, reached))
    return [list(graph.query(query)) for query in queries]


def median_ms(text, queries):
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        answers(text, queries)
        times.append((time.perf_counter() - begun) * 1e3)
    return round(statistics.median(times), 3)


def main():
    result = {"rdflib_ms": {}, "rdflib_prepared_ms": {}}
    if rdflib is None:
        print("python3-rdflib is not there: nothing to compare with", file=sys.stderr)
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(QUERIES.glob("*.rq"))]
        prepared = [prepareQuery(text) for text in texts]
        for name in sys.argv[1:]:
            path = pathlib.Path(name)
            description = path.read_text(encoding="utf-8")
            result["rdflib_ms"][path.name] = median_ms(description, texts)
            result["rdflib_prepared_ms"][path.name] = median_ms(description, prepared)
    json.dump(result, sys.stdout)


main()
