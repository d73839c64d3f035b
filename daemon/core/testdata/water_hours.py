"""Computes water-hours.csv from day-water.csv, independently of the Rust code.

Annex D of HJ 212-2017 in fractions: volume of a minute = Q * 60 / 1000 m3, amount = volume * C /
1000 kg, mean = amount / volume over the minutes in which flow and concentration are both flagged
N; an hour is valid with 45 of them. pH by the ion balance of equal volumes, in 60 digits.
Run it beside the csv: python3 water_hours.py > water-hours.csv
"""

import csv
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
rows = list(csv.DictReader(open("day-water.csv", encoding="utf-8")))
columns = ["hour", "volume_m3"]
for name in ("cod", "nh3n"):
    columns += [f"{name}_minutes", f"{name}_valid", f"{name}_mean", f"{name}_kg"]
print(",".join(columns + ["ph_minutes", "ph_valid", "ph_mean"]))


def text(value, places=9):
    if value is None:
        return ""
    d = Decimal(value.numerator) / Decimal(value.denominator)
    return format(round(d, places).normalize(), "f")


for hour in range(24):
    part = rows[hour * 60 : hour * 60 + 60]
    flowing = [r for r in part if r["flow_flag"] == "N"]
    volume = lambda r: Fraction(r["flow_l_s"]) * 60 / 1000
    out = [str(hour), text(sum(map(volume, flowing))) if flowing else ""]
    for name in ("cod", "nh3n"):
        both = [r for r in flowing if r[f"{name}_flag"] == "N"]
        d = sum(volume(r) for r in both)
        kg = sum(volume(r) * Fraction(r[f"{name}_mg_l"]) / 1000 for r in both)
        mean = kg / d * 1000 if d else None
        valid = len(both) >= 45 and mean is not None
        out += [str(len(both)), str(valid).lower(), text(mean), text(kg) if both else ""]
    ph = [Decimal(r["ph"]) for r in part if r["ph_flag"] == "N"]
    if ph:
        ten = Decimal(10)
        net = sum(ten ** (7 - p) - ten ** (p - 7) for p in ph) / len(ph)
        y = ((abs(net) + (net * net + 4).sqrt()) / 2).log10()
        mean = 7 - y if net > 0 else 7 + y
        out += [str(len(ph)), str(len(ph) >= 45).lower(), format(round(mean, 9), "f")]
    else:
        out += ["0", "false", ""]
    print(",".join(out))
