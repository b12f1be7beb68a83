"""Bytes on the radio by protocol layer, direction and purpose, as tshark sees a capture.

    python3 lab/bench/radio_layers.py [--from T] [--to T] [--short 0xNNNN] [--json] CAPTURE EUI64

Every PSDU byte of the device's unicast data frames in the window (seconds since the epoch, the
first included, the last not) is counted once:

    mac         IEEE 802.15.4 header and frame check sequence
    6lowpan     headers of fragments, compressed IPv6, and whatever IPv6 carries that is not TCP
    tcp         headers of TCP with their options
    mqtt        fixed header and packet identifier, topic, properties and payload of each PUBLISH;
                everything of the other control packets
    again       what TCP sends a second time
    unfinished  datagrams of which a fragment never went out, and frames with a wrong check sequence

"retries" says how many of those frames the MAC sent again, and their bytes; they are in the layers,
too. "segments" has the frames, retries included, of segments of TCP without and with data. Apart
from all this stand the acknowledgements of the MAC and what was multicast (by the device: out; by
others: in). Times are those of the capture; the stream of MQTT is read from its connection on, so
the capture has to begin before that.
"""
import argparse
import collections
import importlib.machinery
import importlib.util
import json
import os
import struct
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is left in the folders of the sources

PCAP_HEADER_SIZE = 24
PCAP_RECORD_SIZE = 16
LINK_TYPE = 195  # IEEE 802.15.4 with its check sequence

# IEEE 802.15.4-2020 7.2: what may stand in a frame's header, by tshark's names.
MAC_FIELD_SIZES = {"wpan.fcf": 2, "wpan.seq_no": 1, "wpan.dst_pan": 2, "wpan.dst16": 2, "wpan.dst64": 8,
                   "wpan.src_pan": 2, "wpan.src16": 2, "wpan.src64": 8, "wpan.fcs_ok": 2}
DATA, ACK = 1, 2
ACK_PSDU_SIZE = 5
BROADCAST = "0xffff"
FIRST_FRAGMENT_SIZE, NEXT_FRAGMENT_SIZE = 4, 5  # RFC 4944 section 5.3
PUBLISH = "3"
LAYERS = ("mac", "6lowpan", "tcp", "mqtt", "again", "unfinished")
MQTT_PARTS = ("header", "topic", "properties", "payload", "other")

FRAME_FIELDS = """frame.number frame.len wpan.frame_type wpan.fcf wpan.seq_no wpan.dst_pan wpan.dst16 wpan.dst64
    wpan.src_pan wpan.src16 wpan.src64 wpan.fcs_ok wpan.ack_request""".split()
DATAGRAM_FIELDS = """frame.number 6lowpan.frag.size 6lowpan.frag.offset 6lowpan.reassembled.in
    6lowpan.fragment.count tcp.stream tcp.srcport tcp.dstport tcp.hdr_len tcp.len tcp.seq tcp.payload""".split()
PACKET_FIELDS = "mqtt.msgtype mqtt.qos mqtt.len mqtt.topic_len mqtt.property_len mqtt.msg".split()


def load_dissect():
    """lab/router/dissect is a program; its functions that have tshark read a capture serve here, too."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router/dissect")
    loader = importlib.machinery.SourceFileLoader("dissect", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dissect", loader))
    loader.exec_module(module)
    return module


dissect = load_dissect()


class Frame:
    """One transmission. `original` is the frame of which it is a retry, or itself."""

    def __init__(self, psdu, time_us, fields):
        self.psdu, self.time_us = psdu, time_us
        self.size = len(psdu)
        self.type = int(fields["wpan.frame_type"] or "0", 0)
        self.number = fields["wpan.seq_no"]
        self.source = fields["wpan.src64"] or fields["wpan.src16"]
        self.destination = fields["wpan.dst64"] or fields["wpan.dst16"]
        self.wants_ack = fields["wpan.ack_request"] in ("1", "True")
        self.is_good = fields["wpan.fcs_ok"] in ("1", "True")
        self.mac_size = sum(size for field, size in MAC_FIELD_SIZES.items() if fields[field])
        self.original = self
        self.parts = None  # bytes by layer, "mac" aside
        self.mqtt = None   # (stream, begin, end) of the stream's bytes in it
        self.segment = None


# ---- the capture ----

def read_records(path):
    """(time in us, PSDU) of each record; one that is cut short ends the file."""
    with open(path, "rb") as file:
        content = file.read()
    for order in "<>":
        if content[:4] == struct.pack(order + "I", dissect.PCAP_MAGIC):
            break
    else:
        raise OSError("not a capture with microseconds, as mup-router writes it")
    if len(content) < PCAP_HEADER_SIZE or struct.unpack_from(order + "I", content, 20)[0] != LINK_TYPE:
        raise OSError("not a capture of IEEE 802.15.4 with its check sequences")
    at = PCAP_HEADER_SIZE
    while at + PCAP_RECORD_SIZE <= len(content):
        seconds, micros, size = struct.unpack_from(order + "III", content, at)
        at += PCAP_RECORD_SIZE
        if at + size > len(content):
            break
        yield seconds * 1000000 + micros, content[at:at + size]
        at += size


def write_records(file, frames):
    file.write(struct.pack("<IHHiIII", dissect.PCAP_MAGIC, 2, 4, 0, 0, 256, LINK_TYPE))
    for frame in frames:
        file.write(struct.pack("<IIII", *divmod(frame.time_us, 1000000), frame.size, frame.size) + frame.psdu)
    file.flush()


def read_frames(path):
    records = list(read_records(path))
    fields = list(dissect.read_fields(path, FRAME_FIELDS))[:len(records)]
    if len(fields) != len(records):
        raise OSError(f"tshark sees {len(fields)} frames where {len(records)} are")
    return [Frame(psdu, time_us, field) for (time_us, psdu), field in zip(records, fields)]


def mark_retries(frames):
    """A retry is, byte for byte, the data frame that its sender sent last."""
    last = {}
    for frame in frames:
        if frame.type != DATA:
            continue
        before = last.get(frame.source)
        if before is not None and before.psdu == frame.psdu:
            frame.original = before
        else:
            last[frame.source] = frame


# ---- datagrams and what TCP carries ----

class Stream:
    """One direction of a connection of TCP: its bytes, each as often as it is new."""

    def __init__(self):
        self.content = bytearray()
        self.is_there = bytearray()

    def add(self, at, payload):
        """Where the part of the payload that is new begins and ends, in the stream."""
        end = at + len(payload)
        if end > len(self.content):
            self.content.extend(bytes(end - len(self.content)))
            self.is_there.extend(bytes(end - len(self.is_there)))
        new = [i for i in range(at, end) if not self.is_there[i]]
        for i in new:
            self.content[i] = payload[i - at]
            self.is_there[i] = 1
        return (new[0], new[-1] + 1) if new else (at, at)

    def whole(self):
        """Up to the first byte that never came."""
        missing = self.is_there.find(0)
        return bytes(self.content if missing < 0 else self.content[:missing])


def spread(frames, headers, carried):
    """Give each fragment of a datagram its share of what TCP carries, in order."""
    for frame, header in zip(frames, headers):
        room = frame.size - frame.mac_size - header
        yield frame, header, min(room, carried)
        carried -= min(room, carried)


def take_datagram(fragments, fields, streams):
    """Fill in the parts of a datagram's frames; fields are those of the frame that has it all.

    The header of TCP is in the first frame; behind it, and behind the headers of the other
    fragments, is nothing but what TCP carries.
    """
    first = fragments[0][0]
    is_tcp = bool(fields["tcp.stream"])
    headers = [FIRST_FRAGMENT_SIZE + (NEXT_FRAGMENT_SIZE - FIRST_FRAGMENT_SIZE) * (offset != "")
               if fields["6lowpan.frag.size"] else 0 for _, offset in fragments]
    if not is_tcp:
        for frame, _ in fragments:
            frame.parts = {"6lowpan": frame.size - frame.mac_size}
        return
    payload = bytes.fromhex(fields["tcp.payload"].replace(":", ""))
    tcp_size = int(fields["tcp.hdr_len"])
    above = sum(frame.size - frame.mac_size for frame, _ in fragments)
    ipv6_size = above - sum(headers) - tcp_size - len(payload)
    headers[0] += ipv6_size + tcp_size
    way = tuple(fields["tcp." + field] for field in ("stream", "srcport", "dstport"))
    at = int(fields["tcp.seq"]) - 1  # tshark numbers from 1
    begin, end = streams[way].add(at, payload) if payload else (at, at)
    for frame, header, size in spread([frame for frame, _ in fragments], headers, len(payload)):
        fresh = max(0, min(at + size, end) - max(at, begin))
        frame.parts = {"6lowpan": header - (tcp_size if frame is first else 0),
                       "tcp": tcp_size if frame is first else 0, "mqtt": fresh, "again": size - fresh}
        frame.mqtt = (way, max(at, begin), max(at, begin) + fresh)
        frame.segment = "with_data" if payload else "without_data"
        at += size


def read_datagrams(frames):
    """Find each frame's parts but the MAC's; returns the streams of TCP."""
    streams = collections.defaultdict(Stream)
    originals = [frame for frame in frames if frame.type == DATA and frame.is_good and frame.original is frame]
    waiting = collections.defaultdict(list)  # by the number of the frame that completes the datagram
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        write_records(file, originals)
        for frame, fields in zip(originals, dissect.read_fields(file.name, DATAGRAM_FIELDS, "-d",
                                                                f"tcp.port=={dissect.BROKER_PORT},data")):
            number = fields["frame.number"]
            fragment = (frame, fields["6lowpan.frag.offset"])
            whole_in = fields["6lowpan.reassembled.in"]
            if not fields["6lowpan.frag.size"] or fields["6lowpan.fragment.count"]:
                take_datagram(waiting.pop(number, []) + [fragment], fields, streams)
            elif whole_in:
                waiting[whole_in].append(fragment)
    return streams


# ---- MQTT ----

def varint_size(value):
    return 1 + sum(value >= 1 << 7 * i for i in (1, 2, 3))


def split_publish(fields):
    """The sizes of a PUBLISH's parts, in their order (MQTT 5 section 3.3), from tshark's lengths."""
    length, properties = int(fields["mqtt.len"]), int(fields["mqtt.property_len"] or "0")
    topic = 2 + int(fields["mqtt.topic_len"])
    number = 2 if fields["mqtt.qos"] != "0" else 0
    properties += varint_size(properties)
    payload = length - topic - number - properties
    if payload != len(fields["mqtt.msg"].replace(":", "")) // 2:
        raise OSError("tshark loses its way in a PUBLISH")
    return [("header", 1 + varint_size(length)), ("topic", topic), ("header", number),
            ("properties", properties), ("payload", payload)]


def read_packets(streams):
    """For each stream the kind of each of its bytes, and where each PUBLISH begins: (at, has an alias alone)."""
    carried = {way: stream.whole() for way, stream in streams.items()}
    packets = [(way, packet) for way, content in carried.items() for packet in dissect.split_packets(content)]
    kinds, publishes = collections.defaultdict(list), collections.defaultdict(list)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        dissect.write_packets(file, carried)
        read = list(dissect.read_fields(file.name, PACKET_FIELDS, "-o", "tcp.check_checksum:FALSE",
                                        "-d", f"tcp.port=={dissect.BROKER_PORT},mqtt"))
    if len(read) != len(packets):
        raise OSError(f"tshark sees {len(read)} packets of MQTT where {len(packets)} are")
    for (way, packet), fields in zip(packets, read):
        if fields["mqtt.msgtype"] == PUBLISH:
            parts = split_publish(fields)
            publishes[way].append((len(kinds[way]), fields["mqtt.topic_len"] == "0"))
        else:
            parts = [("other", len(packet))]
        for kind, size in parts:
            kinds[way].extend([kind] * size)
    return kinds, publishes


# ---- the sum ----

def empty():
    return {"frames": 0, "bytes": 0, "layers": {**dict.fromkeys(LAYERS, 0), "mqtt": dict.fromkeys(MQTT_PARTS, 0)},
            "publishes": 0, "publishes_by_alias": 0,
            "segments": {kind: {"frames": 0, "bytes": 0} for kind in ("without_data", "with_data")},
            "retries": {"frames": 0, "bytes": 0}, "acks": {"frames": 0, "bytes": 0},
            "multicast": {"frames": 0, "bytes": 0}}


def count(entry, size):
    entry["frames"] += 1
    entry["bytes"] += size


def add_frame(side, frame, kinds):
    """One data frame, first or again, into its direction's sum."""
    count(side, frame.size)
    if frame.original is not frame:
        count(side["retries"], frame.size)
    layers = side["layers"]
    layers["mac"] += frame.mac_size
    origin = frame.original
    if origin.parts is None:
        layers["unfinished"] += frame.size - frame.mac_size
        return
    for layer, size in origin.parts.items():
        if layer != "mqtt":
            layers[layer] += size
    if origin.mqtt is not None:
        way, begin, end = origin.mqtt
        known = kinds[way][begin:end]
        # A packet that the capture does not have to its end.
        for kind in known + ["other"] * (end - begin - len(known)):
            layers["mqtt"][kind] += 1
        count(side["segments"][origin.segment], frame.size)


def add_publishes(side, frame, publishes):
    if frame.mqtt is not None:  # never of a retry
        way, begin, end = frame.mqtt
        begun = [by_alias for at, by_alias in publishes[way] if begin <= at < end]
        side["publishes"] += len(begun)
        side["publishes_by_alias"] += sum(begun)


def analyse(path, addresses, begin=0.0, end=float("inf")):
    """What {"in": ..., "out": ...} the device with these addresses (tshark's spelling) got and sent.

    OSError says that the capture cannot be read, or that tshark and the capture do not agree.
    """
    frames = read_frames(path)
    mark_retries(frames)
    kinds, publishes = read_packets(read_datagrams(frames))
    sides = {"in": empty(), "out": empty()}
    asks = None  # the data frame that an acknowledgement may belong to
    for frame in frames:
        in_window = begin <= frame.time_us / 1e6 < end
        if frame.type == ACK and frame.size == ACK_PSDU_SIZE:
            if asks is not None and asks.number == frame.number and in_window:
                if asks.source in addresses:
                    count(sides["in"]["acks"], frame.size)
                elif asks.destination in addresses:
                    count(sides["out"]["acks"], frame.size)
            asks = None
            continue
        if frame.type != DATA:
            continue
        asks = frame if frame.wants_ack else None
        if not in_window:
            continue
        way = "out" if frame.source in addresses else "in"
        if frame.destination == BROADCAST:
            count(sides[way]["multicast"], frame.size)
        elif way == "out" or frame.destination in addresses:
            add_frame(sides[way], frame, kinds)
            add_publishes(sides[way], frame, publishes)
    for side in sides.values():
        layers = side["layers"]
        total = sum(layers[layer] for layer in LAYERS if layer != "mqtt") + sum(layers["mqtt"].values())
        if total != side["bytes"]:
            raise OSError(f"the layers have {total} bytes and the frames {side['bytes']}")
    return sides


# ---- the command ----

def spell_eui64(text):
    digits = text.replace(":", "").replace("-", "").lower()
    if len(digits) != 16 or set(digits) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text} is no EUI-64: 16 hexadecimal digits")
    return ":".join(digits[i:i + 2] for i in range(0, 16, 2))


def spell_short(text):
    try:
        value = int(text, 16)
    except ValueError:
        value = -1
    if not 0 <= value < 0xfffe:
        raise argparse.ArgumentTypeError(f"{text} is no address of 16 bits, 0x0000 to 0xfffd")
    return f"0x{value:04x}"


def table(sides):
    def row(name, read):
        print(f"{name:<24}" + "".join(f"{read(sides[way]):>12}" for way in ("in", "out")))

    row("bytes", lambda side: "to device" if side is sides["in"] else "from it")
    for layer in LAYERS:
        if layer != "mqtt":
            row(layer, lambda side, layer=layer: side["layers"][layer])
            continue
        for part in MQTT_PARTS:
            row("mqtt " + part, lambda side, part=part: side["layers"]["mqtt"][part])
    row("together", lambda side: side["bytes"])
    row("frames", lambda side: side["frames"])
    row("of these retries", lambda side: side["retries"]["frames"])
    for kind in ("without_data", "with_data"):
        row("TCP " + kind.replace("_", " "), lambda side, kind=kind: side["segments"][kind]["bytes"])
    row("PUBLISH, by alias", lambda side: f"{side['publishes']}, {side['publishes_by_alias']}")
    row("MAC acknowledgements", lambda side: side["acks"]["bytes"])
    row("multicast", lambda side: side["multicast"]["bytes"])


def main():
    parser = argparse.ArgumentParser(description="Bytes on the radio by protocol layer.")
    parser.add_argument("--from", dest="begin", type=float, default=0.0, metavar="T", help="seconds since the epoch")
    parser.add_argument("--to", dest="end", type=float, default=float("inf"), metavar="T", help="likewise")
    parser.add_argument("--short", type=spell_short, metavar="0xNNNN", help="its address of 16 bits, if it has one")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("capture")
    parser.add_argument("eui64", type=spell_eui64)
    asked = parser.parse_args()
    addresses = {asked.eui64} | ({asked.short} if asked.short else set())
    try:
        sides = analyse(asked.capture, addresses, asked.begin, asked.end)
    except OSError as error:
        print(f"radio_layers: {asked.capture}: {error}", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(sides, indent=2))
    else:
        table(sides)
    return 0


if __name__ == "__main__":
    sys.exit(main())
