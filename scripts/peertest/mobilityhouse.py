"""The mobilityhouse `ocpp` library as a CSMS under the hand of a test.

Standard output, one JSON object a line:
  {"url": "ws://..."}                                   it listens
  {"kind": "open|closed|in|out|finding", ...}           the journal
  {"ask": n, "action": "...", "payload": {...}}         what shall be answered?
  {"answer": n, "payload": {...} | "code": "...", "description": "..."} | {"answer": n, "error": "..."}
Standard input, one JSON object a line:
  {"ask": n, "payload": {...}}                          the answer
  {"send": n, "station": "...", "action": "...", "payload": {...}}
  {"raw": n, "station": "...", "id": "...", "frame": "..."}

It ends when standard input does. The library checks every message in both directions against its JSON schemas.
Argument: the version, 1.6, 2.0.1 or 2.1.
"""
import asyncio
import importlib
import json
import logging
import sys

from ocpp import exceptions
from ocpp.charge_point import camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import unpack
from ocpp.routing import on
from websockets.legacy.server import serve

VERSION = sys.argv[1]
MODULE = importlib.import_module("ocpp." + {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}[VERSION])
CALLS = importlib.import_module(MODULE.__name__ + ".call")
RESULTS = importlib.import_module(MODULE.__name__ + ".call_result")
ANSWER_TIMEOUT = 15  # seconds

stations = {}  # station id -> Peer
asked = {}  # number of a question -> future of its answer
raw = {}  # message id of a raw call -> number of its command


def tell(**line):
    print(json.dumps(line, default=str), flush=True)


def finding(station, text):
    tell(kind="finding", station=station, text=text)


async def ask(action, payload):
    """What the test wants answered."""
    n = len(asked)
    asked[n] = asyncio.get_running_loop().create_future()
    tell(ask=n, action=action, payload=payload)
    return await asked[n]


class Wire:
    """The socket, with every frame journalled."""

    def __init__(self, socket, station):
        self.socket, self.station = socket, station
        self.refused = set()  # ids of calls that the station answered with a CALLERROR

    async def recv(self):
        while True:
            frame = await self.socket.recv()
            tell(kind="in", station=self.station, frame=frame)
            if not self.settle(frame):
                return frame

    def settle(self, frame):
        """Takes the answer to a raw call out of the library's sight, and notes CALLERRORs."""
        try:
            parts = json.loads(frame)
            kind, id = parts[0], parts[1]
            if kind == 4:
                self.refused.add(id)
            n = raw.pop(id, None) if kind in (3, 4) else None
        except (ValueError, IndexError, TypeError):
            return False
        if n is None:
            return False
        if kind == 3:
            tell(answer=n, payload=parts[2])
        else:
            tell(answer=n, code=parts[2], description=parts[3])
        return True

    async def send(self, frame):
        tell(kind="out", station=self.station, frame=frame)
        await self.socket.send(frame)


def handler(action):
    """Answers one action as the test decides."""

    async def answer(self, call_unique_id, **_):
        try:
            decided = await ask(action, self.payloads.pop(call_unique_id))
            return getattr(RESULTS, action)(**camel_to_snake_case(decided))
        except Exception as e:  # the library would answer GenericError and tell nobody
            finding(self.id, f"our own answer to {action}: {e!r}")
            raise

    answer.__name__ = "on_" + action  # the library finds handlers by name
    return on(action)(answer)


class Peer(MODULE.ChargePoint):
    """The library's CSMS end of one station."""

    def __init__(self, station, wire):
        super().__init__(station, wire)
        self.payloads = {}  # message id -> payload, of calls under way

    async def route_message(self, raw_msg):
        try:
            unpack(raw_msg)
        except exceptions.OCPPError as e:
            finding(self.id, f"{e!r} in {raw_msg}")
        await super().route_message(raw_msg)

    async def _handle_call(self, message):
        self.payloads[message.unique_id] = message.payload
        if message.action not in self.route_map:  # the library is silent about some
            finding(self.id, f"no action {message.action}")
        try:
            await super()._handle_call(message)
        except exceptions.OCPPError as e:
            finding(self.id, f"{message.action}: {e!r} in {json.dumps(message.payload)}")
            raise


def handlers():
    """One handler for each message that a station may send: the library knows a result for it."""
    return {"on_" + name: handler(name) for name in dir(RESULTS) if hasattr(CALLS, name) and name[0].isupper()}


for name, method in handlers().items():
    setattr(Peer, name, method)


async def serve_station(socket, path):
    station = path.rstrip("/").rsplit("/", 1)[-1]
    if not socket.subprotocol:
        finding(station, "no common subprotocol")
        return await socket.close(1002, "no common subprotocol")
    peer = Peer(station, Wire(socket, station))
    stations[station] = peer
    tell(kind="open", station=station, version=VERSION)
    try:
        await peer.start()
    except Exception as e:  # the socket is gone: the library says so in many ways
        tell(kind="closed", station=station, text=repr(e))
    finally:
        if stations.get(station) is peer:
            del stations[station]


async def send(n, station, action, payload):
    """Sends a request through the library, which checks it and its response."""
    try:
        peer = stations[station]
        peer._response_timeout = ANSWER_TIMEOUT
        call = getattr(CALLS, action)(**camel_to_snake_case(payload))
        id = f"mh-{n}"
        result = await peer.call(call, suppress=False, unique_id=id)
    except exceptions.OCPPError as e:
        if id in peer._connection.refused:
            return tell(answer=n, code=e.code, description=e.description)
        finding(station, f"{action} or its response: {e!r}")  # the library's own verdict
        tell(answer=n, error=repr(e))
    except Exception as e:
        tell(answer=n, error=repr(e))
    else:
        tell(answer=n, payload=snake_to_camel_case(remove_nones(serialize_as_dict(result))))


async def send_raw(n, station, id, frame):
    try:
        raw[id] = n
        await stations[station]._connection.send(frame)
    except Exception as e:
        tell(answer=n, error=repr(e))


async def commands():
    """Obeys standard input until it ends."""
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        c = json.loads(line)
        if "ask" in c:
            asked[c["ask"]].set_result(c["payload"])
            continue
        if "send" in c:
            task = asyncio.create_task(send(c["send"], c["station"], c["action"], c["payload"]))
        else:
            task = asyncio.create_task(send_raw(c["raw"], c["station"], c["id"], c["frame"]))
        running.add(task)
        task.add_done_callback(running.discard)


async def main():
    logging.disable(logging.CRITICAL)
    server = await serve(serve_station, "127.0.0.1", 0, subprotocols=["ocpp" + VERSION])
    host, port = server.sockets[0].getsockname()[:2]
    tell(url=f"ws://{host}:{port}")
    await commands()


asyncio.run(main())
