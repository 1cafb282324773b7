"""All benchmarks, one after another: ``python -m tests.benchmarks``."""

from __future__ import annotations

from tests.benchmarks import forecast, generator, incremental, runs, usage, writers

for benchmark in (runs, generator, usage, incremental, forecast, writers):
    print(f"\n{benchmark.__name__.rpartition('.')[2]}")
    benchmark.main()
