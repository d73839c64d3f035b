"""A Modbus slave made of pymodbus: the peer of the instrument stories, not written by us.

usage: pymodbus_slave.py tcp            listens on a free port of 127.0.0.1
       pymodbus_slave.py serial DEVICE  Modbus RTU, 9600 baud, 8N1

Prints `ready PORT` (0 for serial) when it answers. Units 1 and 2 hold, from address 0:

    0-1  a float, 12.5 (unit 1) or 37.25 (unit 2), high word first
    2    205, hundredths when read as oxygen: 2.05
    3    status word 0 (unit 1) or 2 (unit 2)
    4-5  the number 1234567890, low word first

and in every input register its own address times 3.
"""

import asyncio
import struct
import sys

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.server import async_io


def words(fmt, value):
    raw = struct.pack(fmt, value)
    return [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]


def slave(value, status):
    low_word_first = list(reversed(words(">I", 1234567890)))
    holding = words(">f", value) + [205, status] + low_word_first + [0] * 20
    return ModbusSlaveContext(
        di=ModbusSequentialDataBlock(0, [n % 2 for n in range(50)]),
        co=ModbusSequentialDataBlock(0, [0] * 50),
        hr=ModbusSequentialDataBlock(0, holding),
        ir=ModbusSequentialDataBlock(0, [n * 3 for n in range(150)]),
        zero_mode=True,
    )


async def main():
    context = ModbusServerContext(
        slaves={1: slave(12.5, 0), 2: slave(37.25, 2)}, single=False
    )
    port = 0
    if sys.argv[1] == "tcp":
        server = async_io.ModbusTcpServer(context, address=("127.0.0.1", 0))
        task = asyncio.ensure_future(server.serve_forever())
        await server.serving
        port = server.server.sockets[0].getsockname()[1]
    else:
        server = async_io.ModbusSerialServer(
            context, ModbusRtuFramer, port=sys.argv[2], baudrate=9600, timeout=1
        )
        await server.start()
        task = asyncio.ensure_future(server.serve_forever())
    print("ready", port, flush=True)
    await task


asyncio.run(main())
