"""docs/openapi.json and the server say the same: each path and method is there, none is unlisted, and what
is answered is what is described. usage: test_openapi.py BIN_FOLDER SOURCE_FOLDER"""

import json
import re
import sys
import unittest

import jsonschema

from edge import Client, Edge

BIN, SOURCE = sys.argv[1:3]
EXAMPLES = {"/api/v1/devices/{device}/rpcs/{rpc}": {"rpc": "ledOn"}}


def setUpModule():
    global edge, client, document
    edge = Edge(BIN)
    client = Client(edge.address, edge.port, edge.token)
    with open(f"{SOURCE}/docs/openapi.json", encoding="utf-8") as file:
        document = json.load(file)
    device = client.get("/api/v1/devices").json["devices"][0]["uuid"]
    answer = client.post("/api/v1/updates", {"device": device, "release": 1})
    assert answer.status == 202, answer.bytes
    validate("/api/v1/updates", "post", answer)
    global values
    values = {"device": device, "id": "1", "rpc": "ledOn"}
    stream = client.stream("/api/v1/updates/1/events")
    stream.wait_for(lambda kind, data: data["result"])
    stream.close()


def tearDownModule():
    edge.stop()


def check(instance, schema):
    resolver = jsonschema.RefResolver("", document)
    jsonschema.Draft202012Validator(schema, resolver=resolver).validate(instance)


def validate(path, method, answer):
    """The answer is one that the document describes for this path."""
    described = document["paths"][path][method]["responses"]
    assert str(answer.status) in described, f"{method} {path}: {answer.status} is not described: {answer.bytes[:300]}"
    content = described[str(answer.status)].get("content")
    if content is None:
        assert answer.bytes == b""
        return
    [(kind, media)] = content.items()
    assert answer.headers["Content-Type"].split(";")[0] == kind, answer.headers["Content-Type"]
    if kind == "application/json":
        check(answer.json, media["schema"])


def fill(path):
    return re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], path)


def operations():
    for path, item in document["paths"].items():
        for method in item:
            yield path, method


class OpenApi(unittest.TestCase):
    def test_the_document_is_one(self):
        self.assertEqual(document["openapi"], "3.1.0")
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        names = [item[method]["operationId"] for item in document["paths"].values() for method in item]
        self.assertEqual(len(names), len(set(names)))

    def test_the_server_hands_out_the_document(self):
        self.assertEqual(Client(edge.address, edge.port).get("/api/v1/openapi.json").json, document)

    def test_what_the_server_lists_is_what_the_document_lists(self):
        text = Client(edge.address, edge.port).get("/api/v1").bytes.decode()
        listed = set()
        for method, path in re.findall(r"^(GET|POST|DELETE) +(/\S+)", text, re.M):
            path = path.replace("/releases/ID", "/releases/{id}").replace("/updates/ID", "/updates/{id}")
            listed.add((path.replace("DEVICE", "{device}").replace("RPC", "{rpc}"), method.lower()))
        described = set(operations()) - {("/api/v1", "get")}
        self.assertEqual(listed, described)

    def test_each_get_answers_as_it_is_described(self):
        queries = {"/api/v1/updates/check": f"?device={values['device']}&release=1&ask=true"}
        for path, method in operations():
            if method != "get" or path.endswith("events") or path == "/api/v1/session":
                continue
            with self.subTest(path):
                answer = client.get(fill(path) + queries.get(path, ""))
                self.assertEqual(answer.status, 200, answer.bytes)
                validate(path, method, answer)

    def test_each_path_wants_to_know_who_asks_unless_it_says_otherwise(self):
        nobody = Client(edge.address, edge.port)
        for path, method in operations():
            if path == "/api/v1/session":
                continue
            with self.subTest(path):
                answer = nobody.ask(method.upper(), fill(path), "{}" if method == "post" else None)
                is_open = document["paths"][path][method].get("security") == []
                self.assertEqual(answer.status, 200 if is_open else 401)
                validate(path, method, answer)

    def test_no_other_method_is_taken(self):
        for path, item in document["paths"].items():
            for method in {"get", "post", "put", "delete", "patch"} - set(item):
                with self.subTest(f"{method} {path}"):
                    answer = client.ask(method.upper(), fill(path), "{}" if method != "get" else None)
                    self.assertEqual(answer.status, 405, answer.bytes)
                    check(answer.json, document["components"]["schemas"]["Error"])

    def test_each_post_refuses_a_body_that_is_not_what_it_takes(self):
        for path, method in operations():
            if method != "post":
                continue
            for body in ("", "[]", "null", "{", '{"more": 1}', '{"a": 1, "a": 1}', "\xff"):
                with self.subTest(f"{path} {body}"):
                    answer = client.ask("POST", fill(path), body.encode("latin-1"),
                                        Content_Type="application/json")
                    self.assertEqual((answer.status, answer.code), (400, "bad-request"))
                    validate(path, method, answer)

    def test_what_is_not_there_is_said_to_be_unknown(self):
        for path in ("/api/v1/devices/{device}", "/api/v1/devices/{device}/module",
                     "/api/v1/devices/{device}/updates", "/api/v1/releases/{id}", "/api/v1/updates/{id}"):
            with self.subTest(path):
                answer = client.get(re.sub(r"\{\w+\}", "999", path))
                self.assertEqual(answer.status, 404)
                validate(path, "get", answer)
        answer = client.post(f"/api/v1/devices/{values['device']}/rpcs/nothing", {"input": {}})
        self.assertEqual((answer.status, answer.code), (404, "unknown-rpc"))
        validate("/api/v1/devices/{device}/rpcs/{rpc}", "post", answer)

    def test_a_call_answers_as_it_is_described(self):
        for name, body, status in (("ledOn", {}, 200), ("setInterval", {"seconds": 3}, 200),
                                   ("setInterval", {"seconds": 0}, 422), ("setInterval", {}, 422)):
            with self.subTest(f"{name} {body}"):
                answer = client.post(f"/api/v1/devices/{values['device']}/rpcs/{name}", {"input": body})
                self.assertEqual(answer.status, status, answer.bytes)
                validate("/api/v1/devices/{device}/rpcs/{rpc}", "post", answer)

    def test_a_fetch_answers_as_it_is_described(self):
        for url, status in ((edge.about["release"], 201), (edge.about["release"] + "0", 502), ("x", 400)):
            with self.subTest(url):
                answer = client.post("/api/v1/releases", {"url": url})
                self.assertEqual(answer.status, status, answer.bytes)
                validate("/api/v1/releases", "post", answer)
        validate("/api/v1/releases", "get", client.get("/api/v1/releases"))

    def test_a_session_answers_as_it_is_described(self):
        person = Client(edge.address, edge.port, source="127.0.0.9")
        validate("/api/v1/session", "get", person.get("/api/v1/session"))
        validate("/api/v1/session", "post", person.log_in("operator", "wrong"))
        validate("/api/v1/session", "post", person.log_in("operator", edge.about["password"]))
        answer = person.get("/api/v1/session")
        self.assertEqual(answer.status, 200)
        validate("/api/v1/session", "get", answer)
        answer = person.ask("DELETE", "/api/v1/session")
        self.assertEqual(answer.status, 204)
        validate("/api/v1/session", "delete", answer)

    def test_events_are_what_is_described(self):
        schemas = {"ready": "Ready", "update": "Update", "progress": "Update", "device": "Device",
                   "telemetry": "Telemetry", "refused": "Refused", "release": "Release"}
        other = client.get("/api/v1/devices?search=sensor-2&limit=1").json["devices"][0]["uuid"]
        stream = client.stream("/api/v1/events")
        client.post("/api/v1/releases", {"url": "http://127.0.0.1:1/nothing"})
        client.post("/api/v1/releases", {"url": edge.about["release"]})
        client.post("/api/v1/updates", {"device": other, "release": 1})
        seen = set()

        def take(kind, data):
            self.assertIn(kind, schemas)
            check(data, {"$ref": f"#/components/schemas/{schemas[kind]}"})
            seen.add(kind)
            return seen >= set(schemas) - {"progress"}  # a quick transfer may be without one

        stream.wait_for(take)
        stream.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
