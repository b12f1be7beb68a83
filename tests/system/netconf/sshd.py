"""A port for an sshd of a test, and the moment from which it answers."""
import random
import socket
import time

DEADLINE_S = 60


def free_port():
    """Below the range that the kernel gives to outgoing connections, so that none takes it."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_banner(port):
    """sshd has no way to say that it listens; its banner does."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as probe:
                if probe.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("sshd does not listen")
