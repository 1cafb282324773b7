"""What was published of a month and then changed: one row per run, table, measure, month and group whose figure is another one.

A run compares what it is about to publish with what is published. A month counts once it was complete; what is new, such as
another month, is no restatement. Each run adds to what the runs before it restated.
"""

from __future__ import annotations

from lakehouse.table import Check, Column, Table

FIGURE = "decimal(38,9)"

table = Table(
    name="gold.restatements",
    description=__doc__,
    grain="run × table × measure × month × group",
    key=("run_id", "table_name", "measure", "month", "figure_of"),
    # Tables whose months are final when they end, but for late records: no payment or win of a later month changes them.
    inputs={
        "mrr_movements": "gold.mrr_movements",
        "acquisition_costs": "gold.acquisition_costs",
        "monthly_usage": "gold.monthly_usage",
    },
    columns=(
        Column("run_id", "string", "Run that published the new figure; sorts by time", nullable=False),
        Column("previous_run_id", "string", "Run that had published the figure of before", nullable=False),
        Column("table_name", "string", "Table of the figure", nullable=False),
        Column("measure", "string", "Its column", nullable=False),
        Column("month", "date", "First day of the month that it tells of", nullable=False),
        Column("figure_of", "string", "Rest of the row's key, such as dimension=segment, dimension_value=SMB; else all",
               nullable=False),
        Column("value_before", FIGURE, "Figure as it was published before; null if there was none"),
        Column("value_after", FIGURE, "Figure as it is published now; null if there is none"),
        Column("change", FIGURE, "value_after − value_before, where both are known"),
        Column("as_of_before", "date", "Day as of which the figure of before was computed", nullable=False),
        Column("as_of", "date", "Day as of which the new one was", nullable=False),
        Column("cause", "string", "What differs between the runs: records, code or configuration, joined by +; else libraries",
               nullable=False),
        Column("files", "string", "Files, or batches, that came in between for the tables that the figure is made from"),
    ),
    checks=(
        Check("the_figure_is_another_one", "NOT (value_before <=> value_after)"),
        Check("change_is_the_difference", "change <=> value_after - value_before"),
    ),
)  # fmt: skip

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
