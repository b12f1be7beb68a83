"""A whole edge for tests of what the web page asks of it: mup-demo --web, and a client for its REST."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

DEADLINE_S = 60


class Edge:
    """The edge that `mup-demo --web` leaves running until it is stopped."""

    def __init__(self, bin_folder):
        self.bin = bin_folder
        self.process = subprocess.Popen([os.path.join(bin_folder, "mup-demo"), "--web", "--board", "posix", "--json"],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the edge did not start: mup-demo ended with {self.process.wait()}")
        text = line
        while True:
            try:
                self.about = json.loads(text)
                break
            except json.JSONDecodeError:
                text += self.process.stdout.readline()
        self.folder = self.about["folder"]
        self.address, port = self.about["url"].removeprefix("http://").split(":")
        self.port = int(port)
        with open(self.about["token_file"], encoding="ascii") as file:
            self.token = file.readline().strip()

    def pid_of(self, program):
        """The process of the edge that runs this program."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            for pid in file.read().split():
                try:
                    if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == program:
                        return int(pid)
                except OSError:
                    pass  # it has ended and was not waited for
        raise RuntimeError(f"{program} does not run")

    def run_server(self, *arguments):
        """mup-server with the edge's configuration and a command; its output."""
        return subprocess.run([os.path.join(self.bin, "mup-server"), "--config", f"{self.folder}/server.conf",
                               *arguments], capture_output=True, text=True, check=False)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_S)
        self.process.stdout.close()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def code(self):
        return self.json["error"]["code"]


class Client:
    """Asks the server, with the token, with a session, or with nothing; from an address of its own."""

    def __init__(self, address, port, token=None, source="127.0.0.1", context=None):
        self.address, self.port, self.token, self.source, self.context = address, port, token, source, context
        self.cookie = None
        self.csrf = None

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection(self.address, self.port, timeout=DEADLINE_S, context=self.context,
                                               source_address=(self.source, 0))
        return http.client.HTTPConnection(self.address, self.port, timeout=DEADLINE_S, source_address=(self.source, 0))

    def headers(self, method, more):
        headers = {"Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = f"mup_session={self.cookie}"
            if self.csrf and method != "GET":
                headers["X-CSRF-Token"] = self.csrf
        headers.update(more)
        return {name: value for name, value in headers.items() if value is not None}

    def ask(self, method, path, body=None, **more):
        connection = self.connect()
        more = {name.replace("_", "-"): value for name, value in more.items()}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            more.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=self.headers(method, more))
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body, **more):
        return self.ask("POST", path, body, **more)

    def log_in(self, user, password):
        answer = self.post("/api/v1/session", {"user": user, "password": password})
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0].removeprefix("mup_session=")
            self.csrf = answer.json["csrf"]
        return answer

    def stream(self, path, **more):
        return Stream(self, path, {name.replace("_", "-"): value for name, value in more.items()})


class Stream:
    """Server-sent events, one by one."""

    def __init__(self, client, path, more):
        self.connection = client.connect()
        self.connection.request("GET", path, headers=client.headers("GET", more))
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.last_id = None

    def next(self):
        """The next event as (kind, data); None at the end of the stream."""
        kind, data = None, None
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            line = self.response.readline().decode("utf-8")
            if line == "":
                return None
            line = line.rstrip("\n")
            if line.startswith("id: "):
                self.last_id = line[4:]
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and kind is not None:
                return kind, data
        raise AssertionError("no event in time")

    def wait_for(self, wanted):
        """The first event for which wanted(kind, data) holds."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            event = self.next()
            if event is None:
                raise AssertionError("the stream ended")
            if wanted(*event):
                return event
        raise AssertionError("it did not happen in time")

    def close(self):
        self.response.close()  # it holds the socket, too
        self.connection.close()


def eventually(check):
    """What check() gives, as soon as it is true."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("it did not become so in time")


def trust(path):
    """A TLS context that believes this certificate and no other."""
    context = ssl.create_default_context(cafile=path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def raw(address, port, bytes_, source="127.0.0.1"):
    """Send exactly these bytes and give back everything that comes."""
    with socket.create_connection((address, port), DEADLINE_S, source_address=(source, 0)) as connection:
        connection.sendall(bytes_)
        received = b""
        while True:
            more = connection.recv(65536)
            if not more:
                return received
            received += more
