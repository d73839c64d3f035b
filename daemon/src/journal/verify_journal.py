#!/usr/bin/env python3
"""Checks a cemsd journal with nothing but Python's standard library.

Usage: verify_journal.py DIRECTORY     Exit code 0: sound; 1: not, with the place printed.
"""
import hashlib, json, pathlib, sqlite3, struct, sys, zlib

directory = pathlib.Path(sys.argv[1])
days = {}  # the sealed file of a day comes before its unsealed one
for path in sorted(directory.glob("????-??-??.db")) + sorted(directory.glob("*.sealed.db")):
    days[path.name[:10]] = path
chain, seq, at_ms, count, sound = None, 0, 0, 0, True


def complain(place, what):
    global sound
    sound = False
    print(f"{place}: {what}")


for _, path in sorted(days.items()):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    meta = dict(database.execute("SELECT key, value FROM meta"))
    kind, in_file = meta["hash"], 0
    hash_of = lambda *parts: hashlib.new(kind, b"".join(parts)).digest()
    previous = (int(meta["previous_seq"]), bytes.fromhex(meta["previous_chain"]))
    if chain is None:  # the first file there is
        seq, chain = previous
        start = hash_of(b"cemsd journal v1", kind.encode(), bytes.fromhex(meta["genesis"]))
        if seq == 0 and chain != start:
            complain(path.name, "does not start at the genesis id")
    if previous != (seq, chain):
        complain(path.name, f"goes on after entry {previous[0]}, not after {seq}")
        seq, chain = previous
    breaks = {each["after_seq"]: each for each in json.loads(meta.get("chain_break", "[]"))}
    query = "SELECT first_seq, last_seq, raw_len, codec, data, chain FROM block ORDER BY 1"
    for first, last, length, codec, data, stated in database.execute(query):
        if seq in breaks:
            complain(path.name, f"declared break after {seq}: {breaks[seq]['reason']}")
            chain, seq = bytes.fromhex(breaks[seq]["chain"]), breaks[seq]["next_seq"] - 1
        if first != seq + 1:
            complain(path.name, f"entry {seq + 1} is missing")
        try:
            raw = zlib.decompress(data, wbits=-15) if codec == "deflate" else data
            seq, place = first - 1, 0
            while place < len(raw):
                size, time = struct.unpack_from(">Iq", raw, place)
                body = raw[place + 12 : place + 12 + size]
                seq, place, count, in_file = seq + 1, place + 12 + size, count + 1, in_file + 1
                if time < at_ms:
                    complain(path.name, f"entry {seq} is older than the one before it")
                chain = hash_of(chain, struct.pack(">Qq", seq, time), body)
                at_ms = time
            if (place, length, last) != (len(raw), len(raw), seq) or chain != stated:
                complain(path.name, f"entry {first} to {last}: the chain does not hold")
        except (zlib.error, struct.error) as error:
            complain(path.name, f"entry {first} to {last}: {error}")
        seq, chain = last, stated
    seal = json.loads(meta["seal"]) if "seal" in meta else None
    if seal != ({"last_seq": seq, "entries": in_file, "chain": chain.hex()} if seal else None):
        complain(path.name, "the seal does not fit")
print(f"{count} entries, head {seq} {chain.hex() if chain else '-'}")
sys.exit(0 if sound else 1)
