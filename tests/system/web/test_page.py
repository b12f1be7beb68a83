"""What the web page asks of a real edge: sessions, devices, calls, events, limits, loss and return, TLS.
usage: test_page.py BIN_FOLDER"""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import unittest

from edge import Client, Edge, eventually, raw, trust

BIN = sys.argv[1]
STREAMS_MAX = 1000
others = []  # processes that a test has started for those after it


def setUpModule():
    global edge, program
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    edge = Edge(BIN)
    program = Client(edge.address, edge.port, edge.token)


def tearDownModule():
    for process in others:
        process.terminate()
        process.wait()
    edge.stop()


def browser(number):
    """Somebody with an address of his own, whose failures are nobody else's."""
    return Client(edge.address, edge.port, source=f"127.0.1.{number}")


def device(name):
    return program.get(f"/api/v1/devices?search={name}&limit=1").json["devices"][0]


class Sessions(unittest.TestCase):
    def test_a_password_opens_a_session_and_its_cookie_is_for_us_alone(self):
        person = browser(1)
        answer = person.log_in("operator", edge.about["password"])
        self.assertEqual(answer.status, 200)
        self.assertEqual({key: answer.json[key] for key in ("user", "role")},
                         {"user": "operator", "role": "administrator"})
        cookie = answer.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
            self.assertIn(part, cookie.split("; "))
        self.assertRegex(cookie, r"^mup_session=[0-9a-f]{64};")
        self.assertEqual(person.get("/api/v1/session").json, answer.json)
        self.assertEqual(person.get("/api/v1/devices").status, 200)

    def test_nobody_learns_whether_a_name_or_a_password_was_wrong(self):
        person = browser(2)
        wrong = person.log_in("operator", "wrong")
        unknown = person.log_in("nobody", "wrong")
        odd = person.log_in("no such name!", "x" * 1000)
        for answer in (wrong, unknown, odd):
            self.assertEqual(answer.status, 401)
            self.assertNotIn("Set-Cookie", answer.headers)
            self.assertEqual(answer.json, wrong.json)

    def test_the_sixth_failure_of_a_minute_is_not_looked_at(self):
        person = browser(3)
        for _ in range(5):
            self.assertEqual(person.log_in("nobody-else", "wrong").status, 401)
        answer = person.log_in("operator", edge.about["password"])
        self.assertEqual((answer.status, answer.code), (429, "too-many-attempts"))
        self.assertTrue(1 <= int(answer.headers["Retry-After"]) <= 60)
        # The name has its own limit, wherever somebody comes from.
        self.assertEqual(browser(4).log_in("nobody-else", "wrong").status, 429)
        self.assertEqual(browser(4).log_in("operator", edge.about["password"]).status, 200)

    def test_good_ones_do_not_count(self):
        person = browser(5)
        for _ in range(7):
            self.assertEqual(person.log_in("operator", edge.about["password"]).status, 200)

    def test_a_page_of_another_site_can_do_nothing(self):
        person = browser(6)
        person.log_in("operator", edge.about["password"])
        token, person.csrf = person.csrf, None
        body = {"url": edge.about["release"]}
        self.assertEqual(person.post("/api/v1/releases", body).code, "csrf")
        self.assertEqual(person.post("/api/v1/releases", body, X_CSRF_Token="0" * 64).code, "csrf")
        self.assertEqual(person.post("/api/v1/releases", body, X_CSRF_Token=token[:-1]).code, "csrf")
        self.assertEqual(person.ask("DELETE", "/api/v1/session").code, "csrf")
        answer = person.post("/api/v1/releases", body, X_CSRF_Token=token, Content_Type="text/plain")
        self.assertEqual((answer.status, answer.code), (415, "wrong-content-type"))
        answer = browser(6).post("/api/v1/session", {"user": "a", "password": "b"}, Content_Type="text/plain")
        self.assertEqual((answer.status, answer.code), (415, "wrong-content-type"))
        self.assertEqual(person.post("/api/v1/releases", body, X_CSRF_Token=token).status, 201)

    def test_a_session_ends_with_the_log_out(self):
        person = browser(7)
        person.log_in("operator", edge.about["password"])
        stream = person.stream("/api/v1/events?kinds=update")
        self.assertEqual(stream.next()[0], "ready")
        answer = person.ask("DELETE", "/api/v1/session")
        self.assertEqual(answer.status, 204)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])
        self.assertEqual(person.get("/api/v1/devices").status, 401)
        self.assertIsNone(stream.next())

    def test_a_made_up_cookie_is_no_session(self):
        person = browser(8)
        for cookie in ("", "x", "0" * 63, "0" * 64, "0" * 65, "0" * 4000):
            person.cookie = cookie
            self.assertEqual(person.get("/api/v1/devices").status, 401)

    def test_who_may_only_look_changes_nothing(self):
        added = edge.run_server("--add-user", "rita", "read-only")
        password = re.search(r"^password +(\S+)$", added.stdout, re.M).group(1)
        person = browser(9)
        self.assertEqual(person.log_in("rita", password).status, 200)
        self.assertEqual(person.get("/api/v1/devices").status, 200)
        name = device("sensor-3")["uuid"]
        for path, body in (("releases", {"url": "http://h/"}), ("updates", {"device": name, "release": 1}),
                           (f"devices/{name}/rpcs/ledOn", {"input": {}})):
            answer = person.post(f"/api/v1/{path}", body)
            self.assertEqual((answer.status, answer.code), (403, "not-permitted"))
        self.assertEqual(edge.run_server("--remove-user", "rita").returncode, 0)
        self.assertEqual(person.get("/api/v1/devices").status, 401)

    def test_the_bridge_decides_whom_a_call_is_allowed(self):
        added = edge.run_server("--add-user", "stranger", "operator")
        password = re.search(r"^password +(\S+)$", added.stdout, re.M).group(1)
        person = browser(10)
        self.assertEqual(person.log_in("stranger", password).status, 200)
        answer = person.post(f"/api/v1/devices/{device('sensor-3')['uuid']}/rpcs/ledOn", {"input": {}})
        self.assertEqual((answer.status, answer.code), (403, "access-denied"))


class Page(unittest.TestCase):
    def test_every_answer_says_what_a_browser_may_do(self):
        for path in ("/", "/api/v1", "/api/v1/devices", "/nothing"):
            headers = program.get(path).headers
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'self'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")

    def test_files_are_given_once_and_then_known(self):
        nobody = browser(11)
        first = nobody.get("/api/v1/openapi.json")
        self.assertEqual(first.status, 200)
        again = nobody.get("/api/v1/openapi.json", If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status, again.bytes), (304, b""))
        self.assertEqual(nobody.get("/api/v1/openapi.json", If_None_Match='"other"').status, 200)
        self.assertEqual(nobody.ask("HEAD", "/api/v1/openapi.json").headers["Content-Length"], str(len(first.bytes)))
        self.assertEqual(nobody.ask("POST", "/api/v1/openapi.json", "{}").status, 405)

    def test_there_is_no_way_out_of_the_page(self):
        nobody = browser(12)
        for path in ("/page/../main.c", "/page/%2e%2e/main.c", "/page/..%2f..%2fetc/passwd", "/page/", "//", "/page"):
            self.assertIn(nobody.get(path).status, (401, 404))


class Fleet(unittest.TestCase):
    def names(self, query):
        answer = program.get(f"/api/v1/devices?{query}")
        self.assertEqual(answer.status, 200, answer.bytes)
        return [entry["name"] for entry in answer.json["devices"]]

    def test_devices_are_found_sorted_and_paged(self):
        everyone = [f"sensor-{number}" for number in range(1, 6)]
        self.assertEqual(self.names("sort=name"), everyone)
        self.assertEqual(self.names("sort=-name"), everyone[::-1])
        self.assertEqual(self.names("search=SENSOR-4"), ["sensor-4"])
        self.assertEqual(self.names("search=virtual"), everyone)
        self.assertEqual(self.names("search=nothing"), [])
        self.assertEqual(self.names("category=virtual-device&state=ready"), everyone)
        self.assertEqual(self.names("category=other"), [])
        self.assertEqual(self.names("version=77"), [])
        self.assertEqual(self.names("version=unknown"), [])
        self.assertEqual(self.names("offset=1&limit=2"), everyone[1:3])
        self.assertEqual(self.names("offset=4&limit=1000"), everyone[4:])
        self.assertEqual(self.names("offset=5"), [])
        for order in ("label", "category", "version", "state", "update", "last_seen"):
            self.assertEqual(sorted(self.names(f"sort={order}")), everyone)
            self.assertEqual(self.names(f"sort=-{order}"), self.names(f"sort={order}")[::-1])
        answer = program.get("/api/v1/devices?search=sensor-1&limit=1").json
        self.assertEqual((answer["total"], answer["matching"], answer["offset"]), (5, 1, 0))

    def test_a_wrong_question_is_named(self):
        for query, name in (("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
                            ("offset=-1", "offset"), ("offset=1e3", "offset"), ("version=1.5", "version"),
                            ("version=4294967296", "version"), ("sort=size", "sort"), ("sort=--name", "sort"),
                            ("colour=red", "colour"), (f"search={'x' * 129}", "search")):
            answer = program.get(f"/api/v1/devices?{query}")
            self.assertEqual((answer.status, answer.code), (400, "bad-request"), query)
            self.assertIn(name, answer.json["error"]["message"])

    def test_the_fleet_is_counted(self):
        fleet = program.get("/api/v1/fleet").json
        self.assertEqual((fleet["total"], fleet["bridge"]), (5, True))
        self.assertEqual(sum(entry["count"] for entry in fleet["versions"]), 5)
        for name in ("categories", "states", "updates"):
            self.assertEqual(sum(entry["count"] for entry in fleet[name]), 5)


class Calls(unittest.TestCase):
    def call(self, rpc, body):
        return program.post(f"/api/v1/devices/sensor-3/rpcs/{rpc}", {"input": body})

    def test_a_device_is_told_in_words(self):
        details = program.get("/api/v1/devices/sensor-3").json
        self.assertEqual(details["name"], "sensor-3")
        self.assertIn("thermometer", details["description"])
        rpcs = {rpc["name"]: rpc for rpc in details["rpcs"]}
        [seconds] = rpcs["setInterval"]["inputs"]
        self.assertEqual({key: seconds[key] for key in ("name", "type", "mandatory", "range")},
                         {"name": "seconds", "type": "integer", "mandatory": True, "range": [{"min": "1", "max": "3600"}]})
        self.assertIn({"name": "10_OK", "description": "ok", "code": 10}, rpcs["ledOn"]["states"])
        self.assertEqual([name for name in rpcs if rpcs[name]["reserved"]],
                         ["getDeviceToken", "sendExtendedManifest", "verifyFirmware"])
        module = program.get("/api/v1/devices/sensor-3/module").bytes.decode()
        self.assertTrue(module.startswith(f"module {details['module']} {{"))
        eventually(lambda: program.get("/api/v1/devices/sensor-3").json["telemetry"][0]["type"] == "number")

    def test_a_good_input_reaches_the_device(self):
        for body in ({"seconds": 2}, {"seconds": "2"}):
            answer = self.call("setInterval", body)
            self.assertEqual((answer.status, answer.json["ok"]), (200, True))
            self.assertIn(answer.json["state"], ("10_OK", "11_NOOP"))
        self.assertEqual(self.call("setInterval", {"seconds": 1}).json["meaning"], "ok")

    def test_a_wrong_input_is_named_by_its_field(self):
        for body, field in (({"seconds": 0}, "seconds"), ({"seconds": 3601}, "seconds"), ({}, "seconds"),
                            ({"seconds": None}, "seconds"), ({"seconds": "two"}, "seconds"), ({"seconds": []}, "seconds"),
                            ({"seconds": 2.5}, "seconds"), ({"seconds": True}, "seconds"), ({"seconds": ""}, "seconds"),
                            ({"seconds": 2, "minutes": 1}, "minutes"), ({"seconds": 2, "uuid": "x"}, "uuid"),
                            ({"seconds": 2, "<a>&": 1}, "<a>&"), ({"seconds": 10**18}, "seconds")):
            answer = self.call("setInterval", body)
            self.assertEqual((answer.status, answer.code), (422, "input-not-valid"), body)
            self.assertEqual(answer.json["error"]["field"], field)

    def test_what_belongs_to_updates_is_refused(self):
        answer = self.call("verifyFirmware", {})
        self.assertEqual((answer.status, answer.code), (403, "access-denied"))


class Events(unittest.TestCase):
    def test_values_come_as_they_are_published_and_of_one_device_if_wished(self):
        uuid = device("sensor-2")["uuid"]
        stream = program.stream(f"/api/v1/events?kinds=telemetry&device={uuid}")
        for _ in range(3):
            kind, data = stream.wait_for(lambda kind, data: kind != "ready")
            self.assertEqual((kind, data["uuid"], data["name"], data["symbol"]),
                             ("telemetry", uuid, "temperature", "°C"))
        stream.close()

    def test_a_wrong_kind_is_named(self):
        answer = program.get("/api/v1/events?kinds=update,nonsense")
        self.assertEqual((answer.status, answer.code), (400, "bad-request"))
        self.assertIn("nonsense", answer.json["error"]["message"])

    def test_an_update_is_told_from_its_beginning_to_its_end_and_nothing_is_missed(self):
        uuid = device("sensor-4")["uuid"]
        mine = lambda kind, data: kind == "update" and data["device"]["uuid"] == uuid
        first = program.stream("/api/v1/events?kinds=update")
        first.wait_for(lambda kind, data: kind == "ready")
        answer = program.post("/api/v1/updates", {"device": uuid, "release": 1})
        self.assertEqual(answer.status, 202)
        states = [first.wait_for(mine)[1]["state"]]
        first.close()
        eventually(lambda: program.get(f"/api/v1/updates/{answer.json['id']}").json["result"])
        again = program.stream("/api/v1/events?kinds=update", Last_Event_ID=first.last_id)
        while states[-1] not in ("confirmed", "failed", "reverted"):
            states.append(again.wait_for(mine)[1]["state"])
        again.close()
        self.assertEqual(states, ["requested", "token", "manifest", "transfer", "verify", "trial", "confirmed"])
        self.assertIsNone(device("sensor-4")["update_id"])
        history = program.get("/api/v1/devices/sensor-4/updates").json["updates"]
        self.assertEqual([update["result"] for update in history], ["confirmed"])

    def test_who_was_away_too_long_is_told_to_load_again(self):
        for last_id in ("", "x", "1-1", "-", "ffffffffffffffffffffff-1"):
            stream = program.stream("/api/v1/events?kinds=update", Last_Event_ID=last_id)
            self.assertEqual([stream.next()[0], stream.next()[0]], ["ready", "reset"])
            stream.close()

    def test_the_bridges_loss_and_return_are_told_and_the_fleet_stays_to_be_seen(self):
        stream = program.stream("/api/v1/events?kinds=bridge,device")
        self.assertEqual(stream.next(), ("ready", {"server": stream_server(), "bridge": True}))
        os.kill(edge.pid_of("mup-bridge"), signal.SIGKILL)
        stream.wait_for(lambda kind, data: kind == "bridge" and not data["bridge"])
        self.assertFalse(program.get("/api/v1/fleet").json["bridge"])
        self.assertEqual(program.get("/api/v1/devices?limit=10").json["total"], 5)
        self.assertEqual(program.get("/api/v1/devices").code, "bridge-unreachable")
        answer = program.post("/api/v1/devices/sensor-3/rpcs/ledOn", {"input": {}})
        self.assertEqual((answer.status, answer.code), (503, "bridge-unreachable"))
        others.append(subprocess.Popen([f"{BIN}/mup-bridge", "--config", f"{edge.folder}/bridge.conf"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        stream.wait_for(lambda kind, data: kind == "bridge" and data["bridge"])
        eventually(lambda: program.post("/api/v1/devices/sensor-3/rpcs/ledOn", {"input": {}}).status == 200)
        stream.close()


def stream_server():
    stream = program.stream("/api/v1/events?kinds=update")
    _, data = stream.next()
    stream.close()
    return data["server"]


class Limits(unittest.TestCase):
    def memory_kb(self):
        with open(f"/proc/{edge.pid_of('mup-server')}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def test_a_thousand_streams_are_served_and_the_next_is_told_so(self):
        before = self.memory_kb()
        streams = []
        try:
            while len(streams) < STREAMS_MAX:  # those of other tests may not have been noticed to be gone
                stream = program.stream("/api/v1/events?kinds=refused")
                if stream.status == 200:
                    streams.append(stream)
                else:
                    stream.close()
            answer = program.get("/api/v1/events")
            self.assertEqual((answer.status, answer.code), (503, "busy"))
            self.assertIn("1000", answer.json["error"]["message"])
            self.assertEqual(program.get("/api/v1/devices?limit=1").status, 200)
            program.post("/api/v1/releases", {"url": "http://127.0.0.1:1/one"})
            for stream in streams:
                stream.wait_for(lambda kind, data: kind == "refused")
            self.assertLess(self.memory_kb() - before, 64 * 1024)
        finally:
            for stream in streams:
                stream.close()
        eventually(lambda: listens())

    def test_a_body_that_is_too_large_is_refused_without_being_kept(self):
        answer = program.post("/api/v1/releases", " " * 65537)
        self.assertEqual((answer.status, answer.code), (413, "body-too-large"))
        self.assertEqual(program.post("/api/v1/releases", " " * 65536).status, 400)

    def test_headers_that_are_too_large_end_the_connection_with_an_answer(self):
        head = f"GET /api/v1/devices HTTP/1.1\r\nHost: h\r\nCookie: {'x' * 40000}\r\n\r\n".encode()
        received = raw(edge.address, edge.port, head)
        self.assertRegex(received, rb"^HTTP/1.1 (413|414|431) ")
        self.assertEqual(program.get("/api/v1/devices?limit=1").status, 200)

    def test_deep_json_is_refused(self):
        body = '{"input": ' + '{"a":' * 5000 + "1" + "}" * 5001
        answer = program.ask("POST", "/api/v1/devices/sensor-3/rpcs/setInterval", body, Content_Type="application/json")
        self.assertEqual((answer.status, answer.code), (400, "bad-request"))

    def test_a_connection_that_ends_in_the_middle_harms_nobody(self):
        whole = (f"POST /api/v1/releases HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {edge.token}\r\n"
                 "Content-Length: 30\r\n\r\n" + '{"url": "http://h/"}').encode()
        for cut in range(0, len(whole), 7):
            with socket.create_connection((edge.address, edge.port)) as connection:
                connection.sendall(whole[:cut])
        self.assertEqual(program.get("/api/v1/devices?limit=1").status, 200)


def listens():
    stream = program.stream("/api/v1/events?kinds=update")
    stream.close()
    return stream.status == 200


class Tls(unittest.TestCase):
    def test_a_generated_certificate_keeps_everything_between_browser_and_server(self):
        folder = f"{edge.folder}/tls"
        os.mkdir(folder, 0o700)
        with open(f"{edge.folder}/server.conf", encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines()
                     if line.split()[0] not in ("store", "users-file", "listen-port", "mqtt-password-file")]
        lines += [f"store {folder}/server.db", f"users-file {folder}/users", "listen-port 0", "mqtt-user other",
                  f"tls-certificate {folder}/certificate.pem", f"tls-key {folder}/key.pem", f"port-file {folder}/port"]
        with open(f"{folder}/server.conf", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        command = [f"{BIN}/mup-server", "--config", f"{folder}/server.conf"]
        made = subprocess.run([*command, "--set-up"], capture_output=True, text=True, check=True).stdout
        password = re.search(r"^password +(\S+)$", made, re.M).group(1)
        self.assertEqual(os.stat(f"{folder}/key.pem").st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(f"{folder}/users").st_mode & 0o777, 0o600)
        again = subprocess.run([*command, "--set-up"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("password  ", again)
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        port = int(eventually(lambda: os.path.exists(f"{folder}/port") and open(f"{folder}/port").read()))
        person = Client("127.0.0.1", port, context=trust(f"{folder}/certificate.pem"))
        answer = person.log_in("operator", password)
        self.assertEqual(answer.status, 200)
        self.assertIn("Secure", answer.headers["Set-Cookie"].split("; "))
        self.assertEqual(eventually(lambda: person.get("/api/v1/devices?limit=9").json.get("total")), 5)
        streams = [person.stream("/api/v1/events?kinds=telemetry") for _ in range(20)]
        for stream in streams:
            stream.wait_for(lambda kind, data: kind == "telemetry")
            stream.close()
        self.assertNotIn(b"HTTP/1.1 200", raw("127.0.0.1", port, b"GET /api/v1 HTTP/1.1\r\nHost: h\r\n\r\n"))

    def test_half_of_a_pair_is_refused_at_start(self):
        with open(f"{edge.folder}/server.conf", encoding="utf-8") as file:
            text = file.read()
        path = f"{edge.folder}/half.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + f"tls-key {edge.folder}/server.key\n")
        ended = subprocess.run([f"{BIN}/mup-server", "--config", path], capture_output=True, text=True, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("tls-certificate and tls-key go together", ended.stderr)


class CommandLine(unittest.TestCase):
    def test_each_mistake_is_named(self):
        for arguments, words in ((["--add-user", "no name", "operator"], "1 to 32"),
                                 (["--add-user", "mup-server", "operator"], "not mup-server"),
                                 (["--add-user", "rita", "king"], "a role is one of"),
                                 (["--remove-user", "nobody"], "there is no user nobody"),
                                 (["--new-password", "nobody"], "there is no user"),
                                 (["--nonsense"], "cannot be used")):
            ended = edge.run_server(*arguments)
            self.assertNotEqual(ended.returncode, 0, arguments)
            self.assertIn(words, ended.stderr)
        self.assertIn("operator", edge.run_server("--users").stdout)

    def test_a_new_password_is_the_only_one(self):
        edge.run_server("--add-user", "otto", "operator")
        made = edge.run_server("--new-password", "otto").stdout
        password = re.search(r"^password +(\S+)$", made, re.M).group(1)
        person = browser(20)
        self.assertEqual(person.log_in("otto", password).status, 200)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
