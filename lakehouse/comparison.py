"""One month of the ledger under two policies, and which switch between them changes what for which customer.

The switches are turned one after another in the order of :class:`lakehouse.policies.Policy`. What one of them does is
the difference between two ledgers that differ in it alone, so the differences add up to that between the two profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ledger import month_balances, with_movements
from lakehouse.metrics.terms import counted_terms
from lakehouse.policies import Policy, steps

AMOUNTS = (
    "opening_mrr",
    "new_mrr",
    "reactivation_mrr",
    "expansion_mrr",
    "contraction_mrr",
    "churned_mrr",
    "fx_mrr",
    "closing_mrr",
)
COUNTS = (
    "customers_opening",
    "customers_new",
    "customers_reactivated",
    "customers_churned",
    "customers_closing",
)
# The numerators of the monthly rates, whose denominator is the opening MRR.
RETAINED = {"grr_monthly": "gross_retained_mrr", "nrr_monthly": "net_retained_mrr"}
FIGURES = (*AMOUNTS, *COUNTS, *RETAINED.values())

Figures = Mapping[str, Decimal | int]
Bridge = Mapping[str, Decimal | int | None]


@dataclass(frozen=True)
class Line:
    """What a switch changes for a customer: the figures that differ, as second less first."""

    switch: str
    customer_id: str
    differences: Figures


@dataclass(frozen=True)
class Comparison:
    """The bridge of the first profile, those after each switch, of which the last is the second profile's, and the lines."""

    first: Bridge
    after: Mapping[str, Bridge]
    lines: tuple[Line, ...]

    @property
    def second(self) -> Bridge:
        """The bridge of the second profile."""
        return list(self.after.values())[-1] if self.after else self.first

    @property
    def changes(self) -> dict[str, Bridge]:
        """What each switch changes in the bridge; null where a rate lacks its denominator."""
        bridges = [self.first, *self.after.values()]
        return {
            switch: {name: _difference(after[name], before[name]) for name in self.first}
            for switch, (before, after) in zip(self.after, pairwise(bridges), strict=True)
        }


def compare(
    subscriptions: DataFrame,
    rates: DataFrame,
    plans: DataFrame,
    *,
    first: Policy,
    second: Policy,
    month_end: date,
    reporting_currency: str,
) -> Comparison:
    """Compare two policies in the month that closes on ``month_end``.

    ``subscriptions`` is silver.subscriptions, ``rates`` and ``plans`` are the clean bronze.exchange_rates and
    bronze.plans. All ledgers are computed in one plan.
    """
    policies = [first, *steps(first, second).values()]
    found: list[dict[str, Figures]] = [{} for _ in policies]
    ledgers = _ledgers(
        subscriptions, rates, plans, policies, month_end=month_end, reporting_currency=reporting_currency
    )
    for row in ledgers.toArrow().to_pylist():
        found[row["number"]][row["customer_id"]] = {name: row[name] for name in FIGURES}
    switches = list(steps(first, second))
    bridges = [_bridge(customers.values()) for customers in found]
    lines = [
        line
        for switch, (before, after) in zip(switches, pairwise(found), strict=True)
        for line in _lines(switch, before, after)
    ]
    return Comparison(bridges[0], dict(zip(switches, bridges[1:], strict=True)), tuple(lines))


def _ledgers(
    subscriptions: DataFrame,
    rates: DataFrame,
    plans: DataFrame,
    policies: Sequence[Policy],
    *,
    month_end: date,
    reporting_currency: str,
) -> DataFrame:
    """One row per policy, by its number, and customer in the month, with the customer's share in the bridge."""
    # The customer of each policy is one of its own, so that all ledgers are one.
    terms = (
        counted_terms(subscriptions, policy).withColumn(
            "customer_id", F.struct(F.lit(number).alias("number"), "customer_id")
        )
        for number, policy in enumerate(policies)
    )
    balances = month_balances(
        reduce(DataFrame.unionByName, terms), rates, plans, as_of=month_end, reporting_currency=reporting_currency
    )
    ledger = with_movements(balances, shows_new_and_churn=_says(policies, "shows_new_and_churn_in_month"))
    of_month = ledger.filter(F.last_day("month") == F.lit(month_end))
    return of_month.select("customer_id.*", *_shares(_says(policies, "reactivation_in_nrr")))


def _says(policies: Sequence[Policy], switch: str) -> Column:
    """Return what the policy of the row says; the switch is one of yes or no."""
    numbers = [number for number, policy in enumerate(policies) if getattr(policy, switch)]
    return F.col("customer_id.number").isin(numbers)


def _shares(reactivation_in_nrr: Column) -> list[Column]:
    """Return each customer's share in the bridge; who comes and goes inside the month has none in the rates."""
    was_active, is_active, is_first = F.col("was_active"), F.col("is_active"), F.col("month") == F.col("cohort_month")
    gross = F.col("opening_mrr") - F.col("contraction_mrr") - F.col("churned_mrr")
    returned = F.when(reactivation_in_nrr, F.col("reactivation_mrr")).otherwise(0)
    shares = {
        "customers_opening": was_active.cast("int"),
        "customers_new": (~was_active & is_first).cast("int"),
        "customers_reactivated": (~was_active & ~is_first).cast("int"),
        "customers_churned": (~is_active).cast("int"),
        "customers_closing": is_active.cast("int"),
        "gross_retained_mrr": F.when(was_active, gross).otherwise(0),
        "net_retained_mrr": F.when(was_active, gross + F.col("expansion_mrr")).when(is_active, returned).otherwise(0),
    }
    return [F.col(name).cast("decimal(18,2)") for name in AMOUNTS] + [c.alias(name) for name, c in shares.items()]


def _bridge(customers: Iterable[Figures]) -> Bridge:
    rows = list(customers)
    total = {name: sum((row[name] for row in rows), 0 if name in COUNTS else Decimal("0.00")) for name in FIGURES}
    opening = total["opening_mrr"]
    rates = {
        rate: round(Decimal(total[retained]) / opening, 6) if opening else None for rate, retained in RETAINED.items()
    }
    return {name: total[name] for name in (*AMOUNTS, *COUNTS)} | rates


def _lines(switch: str, before: Mapping[str, Figures], after: Mapping[str, Figures]) -> list[Line]:
    """Return a line for each customer whom the switch changes, the largest change of closing MRR first."""
    nothing = dict.fromkeys(FIGURES, 0)
    lines = []
    for customer_id in before.keys() | after.keys():
        old, new = before.get(customer_id, nothing), after.get(customer_id, nothing)
        differences = {name: new[name] - old[name] for name in FIGURES if new[name] != old[name]}
        if differences:
            lines.append(Line(switch, customer_id, differences))
    return sorted(lines, key=lambda line: (-abs(Decimal(line.differences.get("closing_mrr", 0))), line.customer_id))


def _difference(after: Decimal | int | None, before: Decimal | int | None) -> Decimal | int | None:
    return None if after is None or before is None else after - before
