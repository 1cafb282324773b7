"""Every number that can be explained adds up to what is published, on the small company."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from itertools import chain, product

import pytest
from typer.testing import CliRunner

from jobs.gold.revenue_bridge import DIFFERENCES
from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.explain.evidence import evidence
from lakehouse.explain.parts import explained
from lakehouse.explain.periods import Period
from lakehouse.explain.question import Address, address
from lakehouse.explain.sources import figures, sources
from lakehouse.explain.sql import Database
from lakehouse.policies import BOARD
from lakehouse.project import PROJECT

# Of each figure, about so many of its published numbers that are something, and that are nothing or 0; which ones
# differs from figure to figure.
NUMBERS = {"{0} <> 0": 8, "coalesce({0}, 0) = 0": 2}
AS_OF = date(2024, 12, 31)


# Nobody comes and goes inside a month, no rep leaves a deal, nobody is late to renew, and some amounts never differ.
NEVER_IN_A_SMALL_COMPANY = {
    "gold.bookings.amount_difference",
    "gold.bookings.unmatched_arr",
    "gold.bookings_reconciliation.cancelled_add_on",
    "gold.bookings_reconciliation.unexplained",
    "gold.bookings_reconciliation.unexplained_customers",
    "gold.bookings_reconciliation.without_customer",
    "gold.mrr_movements.customers_passing",
    "gold.mrr_movements.passing_mrr",
    "gold.pipeline_waterfall.transferred_arr",
    "gold.renewals.lost",
    "gold.renewals.lost_arr",
    "gold.renewals.renewed_early",
    "gold.renewals.renewed_late",
    "gold.sales_activity.activities_outside",
    "gold.stage_dynamics.skipped",
    *(f"gold.revenue_bridge.{name}" for name in chain.from_iterable(DIFFERENCES.values())),
}


@pytest.fixture(scope="module")
def published(small_lake):
    return Database(small_lake, small_lake.published(), load(PROJECT / "conf").metrics)


def addresses(figure, published, condition):
    """Every number of the figure of which the condition holds, by the keys of its table, and the sums of its slices."""
    source = figure.source
    pair = ("dimension", "dimension_value") if source.dimensions else ()
    keys = [name for name in (source.period_column, *pair, *source.columns) if name]
    measured = f"FROM {source.table} WHERE {source.where} AND {condition.format(figure.column)}"
    for slices in dict.fromkeys(((), tuple(source.slices))):
        names = ", ".join(keys + list(slices)) or "1"
        for row in published.rows(f"SELECT DISTINCT {names} {measured} ORDER BY ALL"):
            dimension = row.get("dimension", "all")
            values = {
                name: f"{row[name]:%Y-%m}" if hasattr(row[name], "year") else str(row[name])
                for name in (*source.columns, *slices)
            }
            values |= {} if dimension == "all" else {dimension: row["dimension_value"]}
            period = Period(source.length, row[source.period_column]) if source.length else None
            yield Address(figure, period, None if dimension == "all" else dimension, values)


@pytest.mark.soak
def test_the_parts_of_every_figure_add_up_to_the_published_number_in_many_months_and_dimensions(published):
    different, checked, dimensions = [], Counter(), set()
    for (offset, figure), (condition, wanted) in product(enumerate(figures()), NUMBERS.items()):
        numbers = list(addresses(figure, published, condition))
        step = max(1, len(numbers) // wanted)
        for place in numbers[offset % step :: step]:
            explanation = explained(place, published)
            checked[figure.place] += bool(explanation.published)
            dimensions.add(place.dimension)
            if not explanation.adds_up:
                different.append((figure.place, place.place, explanation.published, explanation.recomputed))
    assert different == []
    assert sum(checked.values()) > 2000
    never = {place for place, count in checked.items() if not count}
    assert never <= NEVER_IN_A_SMALL_COMPANY
    assert {"plan", "segment", "currency", "cohort_month", "plan_x_billing_cadence"} <= dimensions


def test_the_subscription_rows_come_to_the_mrr_of_every_customer_at_both_ends(published):
    policy = load(PROJECT / "conf").metrics.policies[BOARD]
    months = [*(Period("month", date(*month, 1)) for month in ((2023, 8), (2024, 3), (2024, 9))), None]
    places = [address("closing_mrr", month, {}, AS_OF) for month in months]
    places += [address("nrr", month, {}, AS_OF) for month in months[2:]]
    places += [address("mrr", None, {}, AS_OF)]
    ends = 0
    for place in places:
        behind = evidence(explained(place, published), published, policy)
        assert behind.unlike == ()
        rows = [row for rows in behind.records.values() for row in rows]
        ends += sum(row["mrr_at_end"] is not None for row in rows)
        assert all("kept" in {one["outcome"] for one in row["received"]} for row in rows)
    assert ends > 100


def test_the_records_behind_a_count_are_as_many_as_it_says(published):
    policy = load(PROJECT / "conf").metrics.policies[BOARD]
    for metric, narrowed in (
        ("attempts", {"method": "card", "status": "succeeded"}),
        ("invoices", {"bucket": "not_due"}),
        ("tickets", {"segment": "SMB"}),
        ("bookings.orders", {"order_type": "new"}),
        ("pipeline_daily.opportunities", {"opportunity_type": "new_business"}),
        ("win_rates.wins", {"segment": "SMB"}),
        ("funnel.leads", {"lead_source": "outbound"}),
    ):
        explanation = explained(address(metric, None, narrowed, AS_OF), published)
        records = evidence(explanation, published, policy).records
        rows = {row["record_id"]: row["received"] for rows in records.values() for row in rows}
        received = {one["table"] for of_row in rows.values() for one in of_row if one["outcome"] == "kept"}
        assert len(rows) == explanation.published > 0
        assert len(received) == 1


@pytest.mark.soak
def test_every_record_behind_a_number_of_each_table_was_received_and_kept(small_lake):
    metrics = load(PROJECT / "conf").metrics
    followed = Counter()
    for source in sources():
        if source.records is None:
            continue
        published = Database(small_lake, small_lake.published(), metrics)
        figure = next(figure for figure in figures() if figure.source is source)
        *_, place = addresses(figure, published, "{0} <> 0")
        records = evidence(explained(place, published), published, metrics.policies[BOARD]).records
        rows = [row for rows in records.values() for row in rows]
        followed[source.table] += len(rows)
        assert all("kept" in {one["outcome"] for one in row["received"]} for row in rows), place
    assert {table for table, count in followed.items() if not count} == set()
    assert len(followed) > 20


def test_the_command_names_the_whole_way_as_a_page_and_as_a_tree(small_lake):
    arguments = ["explain", "nrr", "--month", "2024-11", "--root", str(small_lake.root)]
    page = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert page.exit_code == 0
    told = ("Net revenue retention, 12 months (2024-11)", "The parts add up", "others", "The rows received for these")
    assert [part for part in told if part not in page.output] == []
    tree = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).output)
    assert tree["adds_up"]
    assert tree["published_in"] == "gold.mrr_movements.nrr_12m"
    assert {"part", "side", "factor", "meaning", "amount"} == set(tree["parts"][0])
    customer = tree["customers"][0]
    assert {"customer_id", "amounts", "movements", "records"} == set(customer)
    assert {"table", "_source", "_batch_id", "_row", "outcome"} == set(customer["records"][0]["received"][0])
