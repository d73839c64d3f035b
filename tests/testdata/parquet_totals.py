"""What other programs find in the files of sealed days: DuckDB and Arrow, each by itself.

Prints one JSON object: for every kind, every outlet and factor the number of values and their exact
sum, as a whole number of the column's last decimal place. Ends with 1 when the two disagree.
"""

import collections
import decimal
import glob
import json
import os
import sys

import duckdb
import pyarrow.parquet

# Kind, column that is summed, its decimal places.
ASKED = [("minute", "value", 12), ("hour-mean", "amount_kg", 28), ("day-mean", "amount_kg", 28)]

# More digits than any sum here has: nothing is rounded.
decimal.getcontext().prec = 60


def whole(number, places):
    return str(int(number.scaleb(places)))


def by_duckdb(files, column, places):
    found = duckdb.sql(
        f"SELECT outlet, factor, count({column}), sum({column}), min(date), max(date) "
        f"FROM read_parquet('{files}', hive_partitioning = true) "
        f"WHERE {column} IS NOT NULL GROUP BY outlet, factor"
    )
    totals, dates = {}, set()
    for outlet, factor, count, total, first, last in found.fetchall():
        totals[f"{outlet}/{factor}"] = [count, whole(total, places)]
        dates |= {str(first), str(last)}
    return totals, sorted(dates)


def by_arrow(files, column, places):
    sums = collections.defaultdict(lambda: [0, decimal.Decimal(0)])
    for path in glob.glob(files):
        for row in pyarrow.parquet.ParquetFile(path).read().to_pylist():
            if row[column] is not None:
                entry = sums[f"{row['outlet']}/{row['factor']}"]
                entry[0] += 1
                entry[1] += row[column]
    return {key: [count, whole(total, places)] for key, (count, total) in sums.items()}


def main(directory):
    out = {}
    for kind, column, places in ASKED:
        files = os.path.join(directory, kind, "*", "*.parquet")
        totals, dates = by_duckdb(files, column, places)
        if totals != by_arrow(files, column, places):
            sys.exit(f"DuckDB and Arrow do not agree about {kind}")
        notes = pyarrow.parquet.read_metadata(glob.glob(files)[0]).metadata
        notes = {key.decode(): value.decode() for key, value in notes.items()}
        notes.pop("cems.columns")
        out[kind] = {"totals": totals, "dates": dates, "notes": notes}
    json.dump(out, sys.stdout)


main(sys.argv[1])
