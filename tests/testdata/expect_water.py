#!/usr/bin/env python3
"""Hour values of day-water.csv, computed without the program that is tested.

Plain arithmetic over the rules of HJ 212-2017 annex D for waste water, minute by minute:
a minute counts when its flag is N; volume of a minute = flow (L/s) * 60 s / 1000 m3; amount of a
pollutant = volume * concentration (mg/L = g/m3) / 1000 kg over the minutes in which flow and
concentration both count; hour mean = amount / volume over those minutes; the hour counts with at
least 45 of them. pH: mean of what the mixture of equal parts would show (excess of H+ over OH-).

    python3 expect_water.py < day-water.csv > day-water-hours.json
"""
import csv
import json
import math
import sys
from fractions import Fraction

MINUTES_MIN = 45


def ph_mean(values):
    excess = sum(10 ** -v - 10 ** (v - 14) for v in values) / len(values)
    # h - 1e-14 / h = excess
    h = (excess + math.sqrt(excess * excess + 4e-14)) / 2
    return -math.log10(h)


def counts(row, name):
    return row[name + "_flag"] == "N"


def hour(rows):
    flow_rows = [r for r in rows if counts(r, "flow")]
    minute_m3 = lambda r: Fraction(r["flow_l_s"]) * 60 / 1000
    out = {
        "volume_m3": float(sum(map(minute_m3, flow_rows))) if flow_rows else None,
        "factors": {},
    }
    for name, column in (("cod", "cod_mg_l"), ("nh3n", "nh3n_mg_l")):
        both = [r for r in flow_rows if counts(r, name)]
        volume = sum(map(minute_m3, both))
        amount = sum(minute_m3(r) * Fraction(r[column]) / 1000 for r in both)
        out["factors"][name] = {
            "minutes": len(both),
            # Readings at zero flow say nothing about a discharge.
            "valid": len(both) >= MINUTES_MIN and volume > 0,
            "mean": float(amount / volume * 1000) if volume else None,
            "amount_kg": float(amount) if both else None,
        }
    ph = [float(r["ph"]) for r in rows if counts(r, "ph")]
    out["factors"]["ph"] = {
        "minutes": len(ph),
        "valid": len(ph) >= MINUTES_MIN,
        "mean": ph_mean(ph) if ph else None,
    }
    flows = [Fraction(r["flow_l_s"]) for r in flow_rows]
    out["factors"]["flow"] = {
        "minutes": len(flows),
        "valid": len(flows) >= MINUTES_MIN,
        "mean": float(sum(flows) / len(flows)) if flows else None,
    }
    return out


def main():
    rows = list(csv.DictReader(sys.stdin))
    assert [int(r["minute"]) for r in rows] == list(range(1, 1441))
    hours = [hour(rows[i : i + 60]) for i in range(0, 1440, 60)]
    json.dump(hours, sys.stdout, indent=1)
    print()


main()
