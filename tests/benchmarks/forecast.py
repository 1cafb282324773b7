"""How good the forecasts are over companies and quarters that nothing was tuned on.

python -m tests.benchmarks.forecast [--seeds 4 5 6 7 8]

Cells are quarter × kind of business × segment × week; the parameters were chosen on seeds 1 to 3.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from lakehouse.delta import dataset
from lakehouse.lake import Lake

LAKEHOUSE = str(Path(sys.executable).parent / "lakehouse")
TABLE = "gold.forecast_accuracy"
SEEDS = (4, 5, 6, 7, 8)

# Errors are ratios of sums; the interval of the coverage is Wilson's.
SUMMARY = """
SELECT
    method, {by} count(*) AS cells,
    round(sum(error_arr) / sum(actual_arr), 3) AS bias,
    round(sum(absolute_error_arr) / sum(actual_arr), 3) AS error,
    count(is_within_interval) AS n,
    round(sum(interval_width_arr) / sum(actual_arr) FILTER (WHERE is_within_interval IS NOT NULL), 3) AS width,
    round(sum(quantile_loss) / sum(actual_arr) FILTER (WHERE is_within_interval IS NOT NULL), 3) AS loss,
    round(avg(is_within_interval::INT), 3) AS covered,
    round((covered + 1.92 / n - 1.96 * sqrt((covered * (1 - covered) + 0.96 / n) / n)) / (1 + 3.84 / n), 3) AS low,
    round((covered + 1.92 / n + 1.96 * sqrt((covered * (1 - covered) + 0.96 / n) / n)) / (1 + 3.84 / n), 3) AS high
FROM cells
WHERE opportunity_type <> 'all' AND segment NOT IN ('all', 'unknown')
GROUP BY ALL ORDER BY ALL
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    connection = duckdb.connect()
    connection.register("cells", pa.concat_tables([_accuracy(seed) for seed in options.seeds]))
    for by in ("", "week_of_quarter,", "opportunity_type,"):
        connection.sql(SUMMARY.format(by=by)).show(max_width=200)


def _accuracy(seed: int) -> pa.Table:
    root = Path(tempfile.mkdtemp(prefix="lakehouse-benchmark-"))
    try:
        command = [LAKEHOUSE, "run", "--root", str(root), "--seed", str(seed), "--select", f"+{TABLE}"]
        subprocess.run(command, capture_output=True, check=True)
        lake = Lake(root)
        return dataset(lake, TABLE, lake.head(TABLE).version).to_table()
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
