"""A Modbus slave by pymodbus: an SDM630 as unit 5, with holding registers and coils to write. Arguments: rtu DEVICE, or tcp."""

import asyncio
import struct
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer, ModbusTcpServer


def floats(values):
    registers = [0] * 0x60
    for address, value in values.items():
        registers[address : address + 2] = struct.unpack(">HH", struct.pack(">f", value))
    return registers


async def main():
    inputs = floats({0: 230.5, 2: 231.25, 4: 229.75, 6: 15.5, 8: 15.75, 10: 16.0, 0x34: 10875.0, 0x3E: 0.998, 0x46: 50.0, 0x48: 1234.5, 0x4A: 2.25})
    unit = ModbusDeviceContext(
        di=ModbusSequentialDataBlock(1, [0, 1] * 8),
        co=ModbusSequentialDataBlock(1, [0] * 32),
        hr=ModbusSequentialDataBlock(1, list(range(100))),
        ir=ModbusSequentialDataBlock(1, inputs),
    )
    context = ModbusServerContext(devices={5: unit}, single=False)
    if sys.argv[1] == "rtu":
        server = ModbusSerialServer(context, port=sys.argv[2], baudrate=9600, ignore_missing_devices=True)
        await server.serve_forever(background=True)
        print("ready", flush=True)
    else:
        server = ModbusTcpServer(context, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        print("ready", server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the test ends
    await server.shutdown()


asyncio.run(main())
