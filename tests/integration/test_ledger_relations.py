"""From received terms to the waterfall: what must follow when the records change in a known way, on generated companies.

No expected value stands here: each test compares two ledgers, or sums of them.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.gold import mrr_movements
from jobs.silver import customer_months, subscriptions
from jobs.silver.dim_plan import table as dim_plan
from lakehouse.metrics.split import PARTS
from lakehouse.metrics.waterfall import COUNTS, MOVEMENTS
from tests.ledger_variants import LATER, NEWCOMER, TIMES, Records, next_month, only, other_name, variants

# So far ahead that there is a year to look back on.
AS_OF = date(2027, 3, 31)
FILES = 3
PLANS = [
    {"plan_id": plan, "base_price": price, "price_per_seat": 7, "included_seats": 3, "valid_from": date(2025, 1, 1)}
    for plan, price in (("starter", 40), ("pro", 90))
]
# Names of the customer and of what it belongs to; the variants differ in them.
NAMES = ("customer_id", "account_id", "region", "industry")
AMOUNTS = ("opening_mrr", "transfer_mrr", *MOVEMENTS, "closing_mrr", "passing_mrr", "committed_mrr")
OF_A_YEAR = ("year_ago_mrr", "kept_mrr", "retained_mrr")
CENT = Decimal("0.01")

Months = dict[tuple[str, date], dict[str, object]]


@dataclass(frozen=True)
class Computed:
    """The ledgers by variant, customer and month, and the waterfall by dimension, value and month."""

    months: dict[str, Months]
    waterfall: dict[tuple[str, str, date], dict[str, object]]

    def total(self, dimension: str, *values: str) -> dict[date, Counter]:
        """Return the sums over the values of what can be added, by month, without what is zero."""
        sums: dict[date, Counter] = defaultdict(Counter)
        for (of, value, month), row in self.waterfall.items():
            if of == dimension and value in values:
                sums[month].update({name: row[name] for name in (*AMOUNTS, *OF_A_YEAR, *COUNTS) if row[name]})
        return {month: Counter({n: v for n, v in parts.items() if v}) for month, parts in sums.items()}


def in_files(rows, table, records) -> DataFrame:
    """Return the rows dealt to several files in turn."""
    files = [rows(table, *records[number::FILES]) for number in range(FILES)]
    return reduce(DataFrame.unionByName, files)


@pytest.fixture(scope="module")
def ledger_of(rows, settings):
    """Return the ledger of all the records together, as an Arrow table."""

    def compute(*found: Records) -> pa.Table:
        rates = in_files(rows, received_rates, [row for records in found for row in records.rates])
        common = {"exchange_rates": rates, "as_of": AS_OF, "reporting_currency": "USD", "policy": settings.policy}
        held = subscriptions.transform(
            subscriptions=in_files(rows, received, [row for records in found for row in records.items]), **common
        )
        return customer_months.transform(
            subscriptions=held,
            customers=in_files(rows, received_customers, [row for records in found for row in records.customers]),
            plans=rows(received_plans, *PLANS),
            segments=settings.segments,
            **common,
        ).toArrow()

    return compute


@pytest.fixture(scope="module")
def computed(spark, rows, ledger_of) -> Computed:
    """The ledgers and waterfalls of all variants, from two Spark jobs."""
    ledger = ledger_of(*variants().values())
    waterfall = mrr_movements.transform(
        customer_months=spark.createDataFrame(ledger),
        plans=rows(dim_plan, *({"plan_id": plan["plan_id"], "plan_name": plan["plan_id"]} for plan in PLANS)),
        as_of=AS_OF,
        min_observations=30,
        reporting_currency="USD",
    ).toArrow()
    by_value = {(row["dimension"], row["dimension_value"], row["month"]): row for row in waterfall.to_pylist()}
    return Computed(by_variant(ledger), by_value)


@pytest.fixture
def _in_another_time_zone(spark, monkeypatch):
    """The machine as it were in New Zealand, where a day begins while it is still the day before in UTC."""
    zones = spark._jvm.java.util.TimeZone
    usual = zones.getDefault()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    zones.setDefault(zones.getTimeZone("Pacific/Auckland"))
    yield
    zones.setDefault(usual)
    monkeypatch.undo()
    time.tzset()


def by_variant(ledger: pa.Table) -> dict[str, Months]:
    """Return the rows of a ledger by variant, customer and month, with the usual names of currencies."""
    months: dict[str, Months] = defaultdict(dict)
    for row in ledger.to_pylist():
        variant, customer_id = row["customer_id"].split(": ")
        currency = row["billing_currency"].rpartition(": ")[2]
        months[variant][customer_id, row["month"]] = row | {"billing_currency": currency}
    return months


def differences(expected: Months, found: Months, *but: str) -> list[str]:
    """Return what differs between two ledgers, a line each, but for names and the columns ``but``."""
    assert expected, "nothing to compare"
    lines = [f"{key} is on one side only" for key in expected.keys() ^ found.keys()]
    return lines + [
        f"{key} {column}: {value}, then {found[key][column]}"
        for key in expected.keys() & found.keys()
        for column, value in expected[key].items()
        if column not in {*NAMES, *but} and found[key][column] != value
    ]


def with_ids(months: Months, renaming) -> Months:
    return {(renaming(customer_id), month): row for (customer_id, month), row in months.items()}


def companies(computed: Computed) -> list[str]:
    names = {value.split(": ")[1] for dimension, value, _ in computed.waterfall if dimension == "region"}
    assert len(names) > 15
    return sorted(names)


def test_the_order_of_rows_and_of_files_decides_nothing(computed):
    assert differences(computed.months["as written"], computed.months["shuffled"]) == []


def test_records_that_are_received_again_and_versions_that_were_replaced_count_for_nothing(computed):
    assert differences(computed.months["as written"], computed.months["received again"]) == []


def test_other_ids_give_the_same_ledger(computed):
    under_first_ids = with_ids(computed.months["renamed"], other_name)
    assert differences(computed.months["as written"], under_first_ids) == []


def test_prices_times_three_give_every_amount_times_three(computed):
    before, after = computed.months["in whole cents"], computed.months["at higher prices"]
    exact = {name for name in customer_months.table.column_names if name.endswith("_mrr")} - {"average_daily_mrr"}
    rounded = {"average_daily_mrr", "revenue", "one_time_amount", *(f"change_{part}" for part in PARTS)}
    multiplied = {
        key: row | {name: TIMES * row[name] for name in (*exact, "arr", "change_currency")}
        for key, row in before.items()
    }
    at_rates = {name for name in before[next(iter(before))] if name.endswith("_rates")}
    for row in multiplied.values():
        row.update({name: TIMES * row[name] for name in at_rates})
    assert differences(multiplied, after, *rounded) == []
    # A half cent of the one is rounded, and that is three times as much; of five parts the largest takes the rest.
    for key, row in before.items():
        assert all(abs(after[key][name] - TIMES * row[name]) <= 5 * TIMES * CENT for name in rounded), (key, row)


def test_dates_a_month_later_give_the_ledger_a_month_later(computed):
    before, after = computed.months["on days of every month"], computed.months["a month later"]
    shifted = {
        (customer_id, next_month(month)): row
        | {"month": next_month(month), "cohort_month": next_month(row["cohort_month"])}
        for (customer_id, month), row in before.items()
        if next_month(month) <= AS_OF
    }
    # Means over days depend on how many days a month has.
    assert differences(shifted, after, "average_daily_mrr", "revenue") == []


def test_one_more_customer_changes_nothing_of_the_others(computed):
    together = computed.months["with newcomers"]
    others = {key: row for key, row in together.items() if not key[0].startswith(NEWCOMER)}
    alone = {key: row for key, row in together.items() if key[0].startswith(NEWCOMER)}
    assert differences(computed.months["as written"], others) == []
    assert differences(computed.months["newcomers"], alone) == []


@pytest.mark.usefixtures("_in_another_time_zone")
def test_a_machine_in_another_time_zone_computes_the_same_ledger(computed, ledger_of):
    elsewhere = by_variant(ledger_of(variants()["as written"]))
    assert differences(computed.months["as written"], elsewhere["as written"]) == []


def test_a_customer_by_itself_is_what_it_is_among_others(computed, ledger_of):
    # Not one of the first, so that it shares neither its first month nor its last one with everybody.
    among_others = computed.months["as written"]
    last_won = max(among_others.values(), key=lambda row: (row["cohort_month"], row["customer_id"]))["customer_id"]
    own = by_variant(ledger_of(only(variants()["as written"], last_won)))["as written"]
    assert differences({key: row for key, row in among_others.items() if row["customer_id"] == last_won}, own) == []


def test_one_more_customer_adds_its_own_waterfall_to_the_companys(computed):
    grown = 0
    for company in companies(computed):
        apart = computed.total("region", f"as written: {company}", f"newcomers: {company}")
        together = computed.total("region", f"with newcomers: {company}")
        assert together == apart, company
        grown += together != computed.total("region", f"as written: {company}")
    assert grown > 5


def test_the_halves_of_a_split_segment_add_up_to_it(computed):
    whole = computed.total("industry", "as written: retail")
    halves = ("with retail split: retail 0", "with retail split: retail 1")
    assert all(computed.total("industry", half) for half in halves)
    assert any(row["transfer_mrr"] for row in whole.values())
    assert computed.total("industry", *halves) == whole
    assert computed.total("industry", "with retail split: banking") == computed.total("industry", "as written: banking")


def test_at_rates_of_one_every_currency_is_as_the_reporting_one(computed):
    ones, dollars = computed.months["at rates of one"], computed.months["all in dollars"]
    # What is up in one currency and down in another is both, so that only the difference is the same.
    by_currency = ("expansion_mrr", "contraction_mrr", "billing_currency", *(f"change_{part}" for part in PARTS))
    assert differences(dollars, ones, *by_currency) == []
    for key, row in ones.items():
        net = row["expansion_mrr"] - row["contraction_mrr"]
        assert net == dollars[key]["expansion_mrr"] - dollars[key]["contraction_mrr"], row
        assert sum(row[f"change_{part}"] for part in PARTS) == (net if row["opening_mrr"] and row["closing_mrr"] else 0)
        assert (row["fx_mrr"], row["change_currency"]) == (0, 0)
        assert row["closing_mrr_at_year_ago_rates"] == row["closing_mrr_at_cohort_rates"] == row["closing_mrr"]


def test_items_worth_nothing_change_nothing(computed):
    assert differences(computed.months["as written"], computed.months["with worthless items"]) == []


def test_terms_that_are_cut_in_two_are_the_same_terms(computed):
    assert differences(computed.months["as written"], computed.months["cut in two"]) == []


def test_a_year_is_twelve_months(computed):
    assert differences(computed.months["as written"], computed.months["with years in months"]) == []


def test_what_begins_later_changes_no_month_before(computed):
    def until_then(months: Months) -> Months:
        return {key: row for key, row in months.items() if key[1] < LATER.replace(day=1)}

    before, after = computed.months["as written"], computed.months["with later items"]
    assert differences(until_then(before), until_then(after)) == []
    assert differences(before, after)


def test_the_least_difference_is_found_and_nothing_is_never_the_same_as_nothing(computed):
    months = computed.months["as written"]
    key, row = next(iter(months.items()))
    assert len(differences(months, months | {key: row | {"fx_mrr": row["fx_mrr"] + CENT}})) == 1
    assert len(differences(months, {other: months[other] for other in months if other != key})) == 1
    with pytest.raises(AssertionError, match="nothing to compare"):
        differences({}, {})


def test_the_generated_companies_reach_every_movement_and_look_back_on_a_year(computed):
    movements = {row["movement"] for row in computed.months["as written"].values()}
    assert movements == {"new", "expansion", "contraction", "churn", "reactivation", "none"}
    for name in (*AMOUNTS, *OF_A_YEAR):
        assert any(row[name] for row in computed.waterfall.values()), name


def test_every_waterfall_leads_from_what_closed_before_to_what_closes(computed):
    for (dimension, value, month), row in computed.waterfall.items():
        ups = sum(row[f"{name}_mrr"] for name in ("transfer", "new", "reactivation", "expansion", "fx"))
        assert row["opening_mrr"] + ups - row["contraction_mrr"] - row["churned_mrr"] == row["closing_mrr"], row
        came = sum(row[f"customers_{name}"] for name in ("transferred", "new", "reactivated"))
        assert row["customers_opening"] + came - row["customers_churned"] == row["customers_closing"], row
        if month < AS_OF.replace(day=1):
            after = computed.waterfall.get((dimension, value, next_month(month)), {})
            assert after.get("opening_mrr", 0) == row["closing_mrr"], (dimension, value, month)
            assert after.get("customers_opening", 0) == row["customers_closing"], (dimension, value, month)


def test_the_values_of_every_dimension_add_up_to_all_and_transfer_nothing_in_total(computed):
    everything = computed.total("all", "all")
    assert not any(row["transfer_mrr"] for row in everything.values())
    for dimension in mrr_movements.DIMENSIONS:
        values = {value for of, value, _ in computed.waterfall if of == dimension}
        assert computed.total(dimension, *values) == everything, dimension


def test_what_is_kept_is_never_more_than_there_was_nor_than_what_is_retained(computed):
    # A region is never left for another one, so that nothing is kept of what opened elsewhere.
    rows = [row for (dimension, _, _), row in computed.waterfall.items() if dimension in {"all", "region"}]
    for gross, net, base in (("grr_monthly", "nrr_monthly", "opening_mrr"), ("grr_12m", "nrr_12m", "year_ago_mrr")):
        known = [row for row in rows if row[base]]
        assert all(0 <= row[gross] <= min(1, row[net]) for row in known), gross
        assert any(row[gross] < 1 for row in known), gross
        assert any(row[net] > 1 for row in known), net
        assert {row[gross] for row in rows if not row[base]} == {None}
