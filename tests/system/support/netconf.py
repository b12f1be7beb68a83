#!/usr/bin/python3
"""A network manager with ncclient: one check, its result as one JSON object on stdout.

    netconf.py PORT KEY devices                    the list of devices
    netconf.py PORT KEY rpc DEVICE RPC [XML]       call an RPC of the device's module
    netconf.py PORT KEY schema DEVICE FILE         write the device's module to FILE
    netconf.py PORT KEY token DEVICE               getDeviceToken, its CBOR decoded
    netconf.py PORT KEY old-client                 a client that speaks base:1.0 alone, by raw ssh
    netconf.py PORT KEY garbage                    bytes that are no NETCONF, in many ways
    netconf.py PORT KEY label DEVICE TEXT          give a device a label
    netconf.py PORT KEY published BROKER PASSWORD TOPIC TEXT
                                                   what is told of a value that is published
    netconf.py PORT KEY killed DEVICE PID          what is told of a device whose process is killed
"""
import base64
import getpass
import json
import os
import signal
import subprocess
import sys

import cbor2
from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

DEADLINE_S = 60
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
DEVICES = "urn:mup:myno-devices"
PORT, KEY = int(sys.argv[1]), sys.argv[2]


def connect():
    session = manager.connect(
        host="127.0.0.1", port=PORT, username=getpass.getuser(), key_filename=KEY,
        hostkey_verify=False, allow_agent=False, look_for_keys=False, timeout=DEADLINE_S)
    session.raise_mode = 1
    return session


def ssh(octets):
    """What the server answers to these bytes over `ssh -s netconf`."""
    return subprocess.run(
        ["ssh", "-F", "none", "-i", KEY, "-p", str(PORT), "-o", "StrictHostKeyChecking=no", "-o",
         "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
         "127.0.0.1", "-s", "netconf"],
        input=octets, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False).stdout


def devices(session):
    reply = session.get(("subtree", f'<devices xmlns="{DEVICES}"/>'))
    found = {}
    for device in etree.fromstring(reply.data_xml.encode()).iter(f"{{{DEVICES}}}device"):
        leaves = {etree.QName(leaf).localname: leaf.text for leaf in device}
        found[leaves["uuid"]] = leaves
    return found


def rpc(session, device, name, xml=""):
    known = devices(session)
    # An RPC for a device that nobody knows goes to the module of any other one.
    leaves = known.get(device) or next(iter(known.values()))
    text = f'<{name} xmlns="{leaves["namespace"]}"><uuid>{device}</uuid>{xml}</{name}>'
    try:
        reply = etree.fromstring(session.dispatch(to_ele(text)).xml.encode())
    except RPCError as error:
        return {"tag": error.tag, "app_tag": error.app_tag, "message": error.message,
                "path": error.path}
    return {etree.QName(leaf).localname: leaf.text for leaf in reply.iter() if leaf.text}


def check_devices():
    return devices(connect())


def check_rpc(device, name, xml=""):
    return rpc(connect(), device, name, xml)


def check_schema(device, path):
    session = connect()
    module = devices(session)[device]["module"]
    assert any(f"module={module}" in known for known in session.server_capabilities), module
    text = session.get_schema(module, format="yang").data
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return {"module": module}


def check_token(device):
    session = connect()
    framing = "urn:ietf:params:netconf:base:1.1" in list(session.server_capabilities)
    reply = rpc(session, device, "getDeviceToken")
    token = cbor2.loads(base64.b64decode(reply["value"]))
    if isinstance(token, bytes):
        token = cbor2.loads(token)
    return {"state": reply["state"], "chunked": framing, "keys": sorted(token),
            "uuid": token[1].hex(), "version": token[2], "nonce": len(token[3]), "app": token[4],
            "hardware": token[5], "largest_image": token[7]}


def hello(*bases):
    capabilities = "".join(f"<capability>urn:ietf:params:netconf:base:{base}</capability>"
                           for base in bases)
    return (f'<hello xmlns="{BASE}"><capabilities>{capabilities}</capabilities></hello>'
            "]]>]]>").encode()


def check_old_client():
    said = ssh(hello("1.0") +
               (f'<rpc message-id="7" xmlns="{BASE}"><get><filter type="subtree">'
                f'<devices xmlns="{DEVICES}"/></filter></get></rpc>]]>]]>'
                f'<rpc message-id="8" xmlns="{BASE}"><close-session/></rpc>]]>]]>').encode())
    messages = [etree.fromstring(part) for part in said.split(b"]]>]]>") if part.strip()]
    assert messages[1].get("message-id") == "7" and messages[2].get("message-id") == "8", said
    return {"messages": len(messages),
            "devices": len(list(messages[1].iter(f"{{{DEVICES}}}device"))),
            "closed": messages[2].find(f"{{{BASE}}}ok") is not None}


def check_garbage():
    """Each ends its own session; the witness's goes on through all of them."""
    witness = connect()
    before = len(devices(witness))
    modern = hello("1.0", "1.1")
    # One of each layer: no hello, no XML, an entity, bad chunks, bad messages, deep nesting. The
    # fuzz target for the framing tries the rest.
    bad = [b"\x00\xff\xfe garbage", hello(),
           b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><hello>&a;</hello>]]>]]>',
           modern + b"\n#zzz\n", modern + b"\n#99999999999999999999\n",
           modern + b"\n#4\n<rpc\n##\n", hello("1.0") + b"<rpc><a></b></rpc>]]>]]>",
           hello("1.0") + b"<a>" * 5000 + b"]]>]]>"]
    for octets in bad:
        ssh(octets)
        assert len(devices(witness)) == before, octets[:60]
    return {"sessions": len(bad), "devices": len(devices(connect()))}


def check_label(device, text):
    session = connect()
    session.edit_config(
        f'<config xmlns="{BASE}"><devices xmlns="{DEVICES}"><device><uuid>{device}</uuid>'
        f"<label>{text}</label></device></devices></config>", target="running")
    return {"label": devices(session)[device]["label"]}


def subscribe(session, name):
    session.dispatch(to_ele(
        '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><filter '
        f'type="subtree"><{name} xmlns="{DEVICES}"/></filter></create-subscription>'))


def told(session, name):
    xml = session.take_notification(timeout=DEADLINE_S).notification_xml
    event = etree.fromstring(xml.encode()).find(f"{{{DEVICES}}}{name}")
    return {etree.QName(leaf).localname: leaf.text for leaf in event}


def check_published(broker, password, topic, text):
    session = connect()
    subscribe(session, "telemetry")
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", broker, "-u", "eavesdropper",
                    "-P", password, "-V", "mqttv5", "-q", "1", "-t", topic, "-m", text], check=True)
    event = told(session, "telemetry")
    while event["value"] != text:  # devices publish by themselves, too
        event = told(session, "telemetry")
    last = session.get(("xpath", ({"d": DEVICES}, f"//d:device[d:uuid='{event['uuid']}']"
                                                  "/d:telemetry/d:value"))).data_xml
    return {**event, "kept": text in last}


def check_killed(device, pid):
    session = connect()
    subscribe(session, "device-change")
    os.kill(int(pid), signal.SIGKILL)
    event = told(session, "device-change")
    assert event["uuid"] == device, event
    return event


if __name__ == "__main__":
    check = globals()["check_" + sys.argv[3].replace("-", "_")]
    print(json.dumps(check(*sys.argv[4:])))
