"""What a change of MRR is made of: add-ons, plan, seats, price, discount and currency, to the cent.

The terms of the two closes are compared in native amounts, one after another: add-ons at list price; the plan at the
old number of seats; the seats; what is left of the list price; the discounts; and what changed rates did. What a plan
costs with other seats comes from the price list of the month's first day, in proportion to what the customer paid; for
a plan that is not on it, from the price per seat. Terms at one close only are so many seats more or fewer.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.table import AMOUNT, MONEY

PARTS = ("add_ons", "plan", "seats", "price", "discount")
# The parts before they are rounded; native amounts by line and currency, then sums at the opening rate.
EXACT = {part: f"_exact_{part}" for part in PARTS}


def with_list_prices(held: DataFrame, plans: DataFrame) -> DataFrame:
    """Return the items by month with ``list_price``: what the price list said of their plan on the month's first day.

    ``plans`` is the clean bronze.plans; a version holds until the next one begins, so that an item has at most one.
    """
    next_from = F.lead("valid_from").over(Window.partitionBy("plan_id").orderBy("valid_from"))
    ahead = (1 - F.coalesce("annual_discount_rate", F.lit(0))).cast("decimal(9,6)").alias("ahead")
    versions = plans.select(
        F.col("plan_id").alias("_listed_plan"),
        F.col("valid_from").alias("_listed_from"),
        next_from.alias("_listed_to"),
        F.struct("base_price", "price_per_seat", "included_seats", ahead).alias("list_price"),
    )
    is_listed = (
        (F.col("plan_id") == F.col("_listed_plan"))
        & (F.col("month") >= F.col("_listed_from"))
        & F.coalesce(F.col("month") < F.col("_listed_to"), F.lit(True))
    )
    return held.join(F.broadcast(versions), on=is_listed, how="left").drop("_listed_plan", "_listed_from", "_listed_to")


def line_states() -> dict[str, Column]:
    """Return the aggregates of a line's items by which :func:`with_line_changes` compares the two closes."""
    list_amount, is_plan = F.col("monthly_list_amount"), F.col("_is_plan")
    change = F.col("_closes").cast("int") - F.col("_opens").cast("int")
    discount = list_amount - F.col("monthly_amount")
    pays_ahead = (F.col("months_in_interval") >= 12).alias("pays_ahead")
    states = {
        EXACT["add_ons"]: F.sum(F.when(~is_plan, list_amount * change).otherwise(0)).cast(AMOUNT),
        EXACT["discount"]: F.sum(-discount * change).cast(AMOUNT),
    }
    for close, holds in (("before", "_opens"), ("after", "_closes")):
        counts = F.col(holds) & is_plan
        plan = F.struct(list_amount.alias("list_amount"), "plan_id", "list_price", pays_ahead)
        states |= {
            f"_list_{close}": F.sum(F.when(counts, list_amount).otherwise(0)).cast(AMOUNT),
            f"_seats_{close}": F.sum(F.when(counts, F.coalesce("quantity", F.lit(1))).otherwise(0)),
            f"_plan_{close}": F.max(F.when(counts, plan)),
        }
    return states


def with_line_changes(lines: DataFrame) -> DataFrame:
    """Return the lines with the exact native parts of their change, of which add-ons and discount are there already."""
    before, after = F.col("_list_before"), F.col("_list_after")
    at_old_seats, at_new_seats = _repriced()
    is_at_both = F.col("_plan_before").isNotNull() & F.col("_plan_after").isNotNull()
    new_plan = F.when(is_at_both, at_old_seats).otherwise(before).cast(AMOUNT)
    new_seats = F.when(is_at_both, at_new_seats).otherwise(after).cast(AMOUNT)
    return lines.withColumns({"_new_plan": new_plan, "_new_seats": new_seats}).withColumns(
        {
            EXACT["plan"]: F.col("_new_plan") - before,
            EXACT["seats"]: F.col("_new_seats") - F.col("_new_plan"),
            EXACT["price"]: after - F.col("_new_seats"),
        }
    )


def with_split(ledger: DataFrame) -> DataFrame:
    """Return the ledger with its change by part (``change_seats`` and so on), signed and to the cent.

    Who stays has changed terms: the parts are what the exact ones round to, and the cents between their sum and
    expansion less contraction are the largest part's. Who comes or goes has none. The currency's part is ``fx_mrr``.
    """
    stays = F.col("movement").isin("expansion", "contraction", "none")
    exact = [F.when(stays, F.col(name)).otherwise(0) for name in EXACT.values()]
    rounded = [amount.cast(MONEY) for amount in exact]
    missing = F.col("expansion_mrr") - F.col("contraction_mrr") - sum(rounded[1:], rounded[0])
    size = F.array(*(F.abs(amount) for amount in exact))
    largest = F.array_position(size, F.array_max(size))
    parts = {
        f"change_{part}": amount + F.when(largest == position, missing).otherwise(0)
        for position, (part, amount) in enumerate(zip(PARTS, rounded, strict=True), start=1)
    }
    return ledger.withColumns({**parts, "change_currency": F.col("fx_mrr")})


def _repriced() -> tuple[Column, Column]:
    """Return what the line's old list price becomes with the new plan, and then with the new seats."""
    before, after = F.col("_list_before"), F.col("_list_after")
    old_price = _listed("_plan_before", "_seats_before")
    # Without a price list the price is per seat: a new plan brings its own, and seats follow the plan's.
    is_same_plan = F.col("_plan_before.plan_id").eqNullSafe(F.col("_plan_after.plan_id"))
    old_seats, new_seats = (F.greatest(f"_seats_{close}", F.lit(1)).cast("int") for close in ("before", "after"))
    return (
        F.coalesce(
            F.try_divide(before * _listed("_plan_after", "_seats_before"), old_price),
            F.when(is_same_plan, before).otherwise(after * old_seats / new_seats),
        ),
        F.coalesce(
            F.try_divide(before * _listed("_plan_after", "_seats_after"), old_price),
            F.when(is_same_plan, before * new_seats / old_seats).otherwise(after),
        ),
    )


def _listed(plan: str, seats: str) -> Column:
    """Return the list price of a plan with so many seats by the month, at the cadence of the month's opening."""
    price = F.col(f"{plan}.list_price")
    more_seats = F.greatest(F.col(seats).cast("int") - price["included_seats"], F.lit(0))
    ahead = F.when(F.col("_plan_before.pays_ahead"), price["ahead"]).otherwise(1)
    return ((price["base_price"] + price["price_per_seat"] * more_seats) * ahead).cast(AMOUNT)
