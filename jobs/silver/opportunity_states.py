"""What opportunities were at every moment up to the as-of day: one row per change, with the time that it held.

Rebuilt from the stage history alone. All amounts of an opportunity are converted at one rate, that of the day on which
it was opened, so that the pipeline moves by what reps change and not by exchange rates.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.opportunity_stage_history import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_first_rate_at_least, with_rate_known
from lakehouse.metrics.stages import is_open
from lakehouse.rules import Freshness, Received, Volume
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table
from lakehouse.vocabulary import STAGES

table = Table(
    name="silver.opportunity_states",
    description=__doc__,
    grain="change of an opportunity",
    key=("history_id",),
    inputs={"history": "bronze.opportunity_stage_history", "exchange_rates": "bronze.exchange_rates"},
    settings=("as_of", "reporting_currency"),
    foreign_keys={"opportunity_id": "silver.opportunities", "rep_id": "silver.sales_reps"},
    may_be_orphans=("opportunity_id", "rep_id"),
    columns=(
        Column("history_id", "string", "Change", nullable=False),
        Column("opportunity_id", "string", "Opportunity that changed", nullable=False),
        Column("change_number", "int", "1 for the opening, 2 for the first change after it", False, minimum=1),
        Column("stage", "string", "Stage after the change", nullable=False, values=STAGES),
        Column("previous_stage", "string", "Stage before; null when it was opened", values=STAGES),
        Column("from_stage", "string", "Stage before, as received", values=STAGES),
        Column("arr", AMOUNT, "ARR after the change, in its own currency", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of arr", nullable=False),
        Column("arr_reporting", MONEY, "arr in the reporting currency", nullable=False, minimum=0),
        Column("previous_arr_reporting", MONEY, "The same before; null when it was opened", minimum=0),
        Column("expected_close_date", "date", "Expected close date after the change"),
        Column("previous_expected_close_date", "date", "Expected close date before"),
        Column("rep_id", "string", "Owner after the change"),
        Column("previous_rep_id", "string", "Owner before"),
        Column("rep_probability", "double", "The rep's probability after the change", minimum=0, maximum=1),
        Column("valid_from_at", "timestamp", "When it changed", nullable=False),
        Column("valid_from_date", "date", "Day of the change", nullable=False),
        Column("valid_to_at", "timestamp", "When the next change came; null while there is none"),
        Column("valid_to_date", "date", "Day of the next change, whose close it does not see; null while none"),
        Column("opened_date", "date", "Day on which the opportunity was opened", nullable=False),
        Column("is_open", "boolean", "The stage is not a closed one", nullable=False),
        Column("is_push", "boolean", "Open before and after, with a later expected close date", nullable=False),
    ),
    checks=(
        Check("first_has_nothing_before", "(change_number = 1) = (previous_stage IS NULL)"),
        Check("holds_for_some_time", "valid_to_at IS NULL OR valid_to_at >= valid_from_at"),
        Check("follows_the_stage_before", "from_stage <=> previous_stage", severity="warn", action="mark"),
        Check("won_is_certain", "stage <> 'closed_won' OR rep_probability = 1", severity="warn", action="mark"),
        Check("lost_is_certain", "stage <> 'closed_lost' OR rep_probability = 0", severity="warn", action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.opportunity_stage_history", known_from="changed_at"),
        Freshness("recent", "valid_from_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(history: DataFrame, exchange_rates: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    rates = kept(exchange_rates, received_rates)
    sound = kept(with_rate_known(history, rates, reporting_currency), convertible(received))
    one = Window.partitionBy("opportunity_id")
    in_order = one.orderBy("changed_at", "history_id")
    changes = sound.filter(F.col("changed_at") < until).withColumns(
        {
            "opened_date": F.to_date(F.min("changed_at").over(one)),
            "change_number": F.row_number().over(in_order),
            "valid_to_at": F.lead("changed_at").over(in_order),
            "previous_stage": F.lag("to_stage").over(in_order),
            "previous_rep_id": F.lag("rep_id").over(in_order),
            "previous_expected_close_date": F.lag("expected_close_date").over(in_order),
            "_previous_arr": F.lag("arr").over(in_order),
        }
    )
    rated = to_reporting(
        with_first_rate_at_least(changes, rates, day="opened_date", rated_on="_rated_on"),
        rates,
        day="_rated_on",
        amounts={"arr": "arr_reporting", "_previous_arr": "previous_arr_reporting"},
        reporting_currency=reporting_currency,
    )
    both_open = is_open(F.col("to_stage")) & is_open(F.col("previous_stage"))
    is_later = F.col("expected_close_date") > F.col("previous_expected_close_date")
    return table.select(
        rated.withColumns(
            {
                "stage": F.col("to_stage"),
                "valid_from_at": F.col("changed_at"),
                "valid_from_date": F.to_date("changed_at"),
                "valid_to_date": F.to_date("valid_to_at"),
                "is_open": is_open(F.col("to_stage")),
                "is_push": F.coalesce(both_open & is_later, F.lit(False)),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
