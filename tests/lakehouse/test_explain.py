"""A number is taken apart on a lake of three customers, whose amounts are worked out by hand.

Of March 2026: A (SMB) grows from 100 to 130, B (Enterprise, in the end Mid-Market) leaves with 200, C comes from SMB to
Enterprise with 40 EUR at 1.25, which is 50. A year ago A paid 80, B 200, and C was not there.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.explain.evidence import evidence
from lakehouse.explain.parts import explained as explain
from lakehouse.explain.periods import Period, last_complete
from lakehouse.explain.question import address
from lakehouse.explain.reference import PAGE, rendered
from lakehouse.explain.sources import Term, figures, parsed, reason_of, reasons, sources
from lakehouse.explain.sql import Database
from lakehouse.lake import Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.metric_registry import BOUNDS
from lakehouse.project import PROJECT
from lakehouse.publish import publish
from lakehouse.registry import job, jobs
from tests.lakehouse.tables import CONFIG

AS_OF = date(2026, 3, 31)
MARCH, FEBRUARY, YEAR_AGO = date(2026, 3, 1), date(2026, 2, 1), date(2025, 3, 1)


def month(customer, day, segment, *mrr, movement="none", **more):
    opening, closing = mrr
    amounts = {"opening_mrr": opening, "closing_mrr": closing, "notice_mrr": 0}
    amounts |= dict.fromkeys(("new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr"), 0)
    amounts |= {"fx_mrr": 0, "closing_mrr_at_year_ago_rates": closing, **more}
    said = {"customer_id": customer, "month": day, "segment": segment, "movement": movement, "plan_id": "p"}
    return said | {name: Decimal(amount) for name, amount in amounts.items()}


def item(name, customer, amount, start, *, end=None, currency="USD"):
    terms = {"subscription_item_id": name, "customer_id": customer, "monthly_amount": Decimal(amount)}
    return terms | {"start_date": start, "end_date": end, "currency": currency, "bears_revenue": True}


def received(name, row, day):
    return {
        "subscription_item_id": name,
        "updated_at": datetime(2026, 3, day, tzinfo=UTC),
        "_source": "crm.csv",
        "_batch_id": "b1",
        "_row": row,
    }


def movement(dimension, value, **numbers):
    decimals = {name: Decimal(number) for name, number in numbers.items() if name.endswith("_mrr")}
    place = {"month": MARCH, "dimension": dimension, "dimension_value": value, "currency": "USD"}
    return place | numbers | decimals


TABLES = {
    "silver.customer_months": [
        month("A", YEAR_AGO, "SMB", 80, 80),
        month("B", YEAR_AGO, "Enterprise", 200, 200),
        month("A", FEBRUARY, "SMB", 80, 100, movement="expansion", expansion_mrr=20),
        month("B", FEBRUARY, "Enterprise", 200, 200),
        month("C", FEBRUARY, "SMB", 0, 50, movement="new", new_mrr=50),
        month("A", MARCH, "SMB", 100, 130, movement="expansion", expansion_mrr=30),
        month("B", MARCH, "Mid-Market", 200, 0, movement="churn", churned_mrr=200),
        month("C", MARCH, "Enterprise", 50, 50),
    ],
    "silver.dim_plan": [{"plan_id": "p", "plan_name": "Business"}],
    "silver.subscriptions": [
        item("a0", "A", 80, date(2025, 1, 1), end=date(2026, 2, 15)),
        item("a1", "A", 100, date(2026, 2, 15), end=date(2026, 3, 10)),
        item("a2", "A", 130, date(2026, 3, 10)),
        item("b1", "B", 200, date(2025, 1, 1), end=date(2026, 3, 20)),
        item("c1", "C", 40, date(2026, 2, 1), end=AS_OF, currency="EUR"),
        item("c2", "C", 40, AS_OF, currency="EUR"),
    ],
    "silver.quarantine": [
        {"table_name": "bronze.subscriptions", "_source": "crm.csv", "_batch_id": "b1", "_row": 9, "rule": "r"}
    ],
    "bronze.exchange_rates": [{"currency": "EUR", "rate_date": FEBRUARY, "rate": Decimal("1.25")}],
    "bronze.subscriptions": [
        *(received(name, row, 1) for row, name in enumerate(("a0", "a1", "a2", "b1", "c1"), start=1)),
        received("b1", 8, 20),
        received("b1", 9, 21),
    ],
    "gold.mrr_movements": [
        # Closing 180 = opening 350 + expansion 30 − churned 200; NRR of the month (350 + 30 − 200) ÷ 350;
        # of twelve months (280 + 50 − 200) ÷ 280 and, without growth, 80 ÷ 280.
        movement(
            "all",
            "all",
            opening_mrr=350,
            closing_mrr=180,
            arr=Decimal("2160.00"),
            nrr_monthly=0.514285714,
            nrr_12m=0.464285714,
            grr_12m=0.285714286,
            arpa=Decimal("90.00"),
            quick_ratio=0.15,
        ),
        movement("segment", "Enterprise", opening_mrr=200, transfer_mrr=50, closing_mrr=50, nrr_monthly=0.0),
        movement("segment", "SMB", opening_mrr=150, transfer_mrr=-50, closing_mrr=130, nrr_monthly=1.2),
    ],
}


def made(root, tables):
    """A published lake of rows; a column that a row leaves out is null."""
    lake = Lake(root)
    for name, rows in tables.items():
        table = job(name).table
        schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
        delta.append(pa.Table.from_pylist(rows, schema=schema), lake, table, CONFIG, {"run_id": "run1"})
    manifest = Manifest(
        run_id="run1",
        published_at=datetime(2026, 4, 1, tzinfo=UTC),
        as_of=AS_OF,
        code="c",
        configuration="f",
        batch={},
        tables={name: Entry(version=0, rows=len(rows), fingerprint="x") for name, rows in tables.items()},
        quality=Quality(checks=1, failed=0),
    )
    publish(lake, manifest)
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return made(tmp_path_factory.mktemp("three") / "lake", TABLES)


def command(lake, *arguments):
    return CliRunner().invoke(app, ["explain", *arguments, "--root", str(lake.root)], catch_exceptions=False)


def explained(lake, *arguments):
    """What the command says as JSON, the sums by part and who adds to them by id."""
    result = command(lake, *arguments, "--json")
    assert result.exit_code == 0, result.output
    tree = json.loads(result.output)
    sums = {part["part"]: Decimal(part["amount"]) if part["amount"] is not None else None for part in tree["parts"]}
    of = next(name for name in ("customers", "accounts", "campaigns") if name in tree)
    return tree, sums, {one[f"{of[:-1]}_id"]: one for one in tree[of]}


def test_a_monthly_retention_is_walked_from_the_ratio_to_the_received_rows(lake):
    tree, sums, customers = explained(lake, "nrr_monthly", "--month", "2026-03")
    assert (tree["published"], tree["adds_up"], tree["rows_add_up"]) == (0.514285714, True, True)
    assert sums == {
        "opening_mrr": 350,
        "expansion_mrr": 30,
        "contraction_mrr": 0,
        "churned_mrr": 200,
        "passing_mrr": None,
    }
    assert (Decimal(tree["numerator"]), Decimal(tree["denominator"])) == (180, 350)
    assert list(customers) == ["B", "A", "C"], "B moves 200, A 30, C nothing"
    b = customers["B"]
    assert [(row["month"], row["movement"]) for row in b["movements"]] == [("2026-03-01", "churn")]
    assert [(row["record_id"], row["mrr_at_end"]) for row in b["records"]] == [("b1", None)]
    assert Decimal(b["records"][0]["mrr_at_start"]) == 200
    assert [(row["_row"], row["outcome"]) for row in b["records"][0]["received"]] == [
        (4, "superseded"),
        (8, "kept"),
        (9, "rejected"),
    ]
    assert [row["record_id"] for row in customers["A"]["records"]] == ["a1", "a2"], "a0 ended in February"
    c1, c2 = customers["C"]["records"]
    assert Decimal(c1["mrr_at_start"]) == Decimal(c2["mrr_at_end"]) == 50, "40 EUR at 1.25"
    assert c1["mrr_at_end"] is c2["mrr_at_start"] is None, "the first day after the terms is none of them"


def test_a_segment_gets_the_opening_of_who_came_to_it_as_a_transfer_and_keeps_its_churn(lake):
    tree, sums, customers = explained(lake, "closing_mrr", "--segment", "Enterprise")
    assert (tree["period"], tree["values"], Decimal(tree["published"])) == ("2026-03", {"segment": "Enterprise"}, 50)
    moved = {name: amount for name, amount in sums.items() if amount}
    assert moved == {"opening_mrr": 200, "transfer_mrr": 50, "churned_mrr": 200}
    assert set(customers) == {"B", "C"}
    _, left, _ = explained(lake, "closing_mrr", "--dimension", "segment", "--value", "SMB")
    assert {name: amount for name, amount in left.items() if amount} == {
        "opening_mrr": 150,
        "transfer_mrr": -50,
        "expansion_mrr": 30,
    }


def test_retention_of_a_year_compares_the_same_customers_with_their_mrr_of_then(lake):
    tree, sums, customers = explained(lake, "nrr")
    assert tree["metric"] == "nrr_12m"
    assert sums == {"year_ago_mrr": 280, "grown_mrr": 50, "shrunk_mrr": 0, "left_mrr": 200}
    assert set(customers) == {"A", "B"}, "C was not there a year ago"
    assert [row["movement"] for row in customers["A"]["movements"]] == ["expansion", "expansion"]
    ends = [(row["record_id"], row["mrr_at_start"], row["mrr_at_end"]) for row in customers["A"]["records"]]
    assert [(name, start and Decimal(start), end and Decimal(end)) for name, start, end in ends] == [
        ("a0", 80, None),
        ("a1", None, None),
        ("a2", None, 130),
    ]
    assert explained(lake, "grr")[1] == {"year_ago_mrr": 280, "shrunk_mrr": 0, "left_mrr": 200}


def test_one_customer_and_the_others_are_the_whole(lake):
    tree, sums, customers = explained(lake, "closing_mrr", "--customer", "A")
    assert list(customers) == ["A"]
    own, others = customers["A"]["amounts"], tree["other_customers"]
    assert {name: Decimal(own[name] or 0) + Decimal(others[name] or 0) for name in sums} == {
        name: amount or 0 for name, amount in sums.items()
    }


def test_the_page_shows_the_weightiest_customers_and_the_rest_as_one_line(lake):
    page = command(lake, "nrr_monthly", "--top", "1").output
    lines = [line.split() for line in page.splitlines()]
    assert "The parts add up: 180.00 ÷ 350.00 = 0.514285714, published 0.514285714." in page
    # opening, expansion, churned, and what is above the line; nobody contracted or passed
    assert ["B", "churn", "200.00", "0.00", "200.00", "0.00"] in lines
    assert ["2", "others", "150.00", "30.00", "0.00", "180.00"] in lines
    assert ["all", "350.00", "30.00", "200.00", "180.00"] in lines
    assert ["b1", "rejected", "bronze.subscriptions", "crm.csv", "b1", "9"] in lines
    assert "The rows of the other 2 customers: --top, --customer or --json." in page


def test_what_is_published_per_customer_is_asked_for_with_the_customer(tmp_path):
    # 12 events on the day of the closing, 3 of them 30 days before, and 4 on the 31st day: 15 ÷ 4 of 30 days each.
    days = {0: 12, 29: 3, 30: 4, 60: 9}
    usage = [
        {"customer_id": customer, "usage_date": AS_OF - timedelta(days=age), "events": events, "active_events": events}
        for customer, more in (("A", 0), ("B", 5))
        for age, events in ((age, events + more) for age, events in days.items())
    ]
    published = [{"customer_id": "A", "trend": 3.75}, {"customer_id": "B", "trend": 25 / 9}]
    lake = made(tmp_path, {"silver.usage_daily": usage, "gold.customer_usage": published})
    tree, sums, customers = explained(lake, "trend", "--customer", "A")
    assert tree["published_in"] == "gold.customer_usage.trend"
    assert (sums, list(customers)) == ({"events_30d": 15, "events_prior_30d": 4}, ["A"])
    with pytest.raises(UsageError, match=r"trend alone.*gold\.customer_usage as of now.* of one --customer"):
        command(lake, "trend")
    with pytest.raises(UsageError, match="customer_id Z; expected customer_id one of A, B"):
        command(lake, "trend", "--customer", "Z")


def test_a_window_of_ninety_days_ends_with_the_as_of_day(tmp_path):
    tickets = [
        {
            "ticket_id": f"t{age}",
            "customer_id": "A",
            "opened_at": datetime(2026, 3, 31, 12, tzinfo=UTC) - timedelta(days=age),
            "opened_date": AS_OF - timedelta(days=age),
            "is_escalated": age == 0,
        }
        for age in (0, 89, 90)
    ]
    received = [{"ticket_id": "t89", "_source": "s", "_batch_id": "b", "_row": 7}]
    lake = made(
        tmp_path,
        {
            "silver.tickets": tickets,
            "bronze.support_interactions": received,
            "silver.quarantine": TABLES["silver.quarantine"],
            "gold.customer_signals": [{"customer_id": "A", "escalation_rate": 0.5}],
        },
    )
    _, sums, customers = explained(lake, "escalation_rate", "--customer", "A")
    assert sums == {"escalations_90d": 1, "tickets_90d": 2}, "the 90 days before are gone on the 91st"
    records = {row["record_id"]: row["received"] for row in customers["A"]["records"]}
    assert {name: [one["_row"] for one in rows] for name, rows in records.items()} == {"t89": [7], "t0": []}


def order(name, account, kind, day, arr):
    return {"order_id": name, "account_id": account, "order_type": kind, "ordered_date": day, "segment": "SMB"} | {
        column: Decimal(arr) for column in ("arr", "arr_reporting", "total_reporting", "acv_reporting")
    }


def booked(grain, start, kind, arr, *, before=None, growth=None):
    place = {"period_grain": grain, "period_start": start, "order_type": kind, "dimension": "all"}
    amounts = {"arr": Decimal(arr), "arr_year_before": before and Decimal(before), "arr_growth": growth}
    return place | {"dimension_value": "all"} | amounts


def test_orders_of_a_quarter_or_a_month_are_those_signed_in_it_beside_those_of_the_year_before(tmp_path):
    # The quarter signed 100 + 50, that of the year before 80: growth 70 ÷ 80. The first of all orders only begins the records.
    orders = [
        order("o0", "A", "new", date(2024, 12, 5), 10),
        order("o1", "A", "renewal", date(2025, 2, 1), 80),
        order("o2", "A", "new", date(2026, 1, 15), 100),
        order("o3", "B", "expansion", date(2026, 2, 10), 50),
        order("o4", "B", "new", date(2026, 4, 1), 7),
    ]
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    published = [
        booked("quarter", january, "all", 150, before=80, growth=0.875),
        booked("quarter", january, "new", 100, before=0),
        booked("month", january, "all", 100, before=0),
        booked("month", february, "all", 50, before=80, growth=-0.375),
    ]
    received = [{"order_id": "o3", "_source": "crm.csv", "_batch_id": "b", "_row": 3}]
    tables = {"silver.billing_orders": orders, "bronze.billing_orders": received, "gold.bookings": published}
    lake = made(tmp_path, tables | {"silver.quarantine": TABLES["silver.quarantine"]})

    tree = json.loads(command(lake, "bookings", "--quarter", "2026-Q1", "--json").output)
    assert (tree["period"], tree["adds_up"], Decimal(tree["published"])) == ("2026-Q1", True, 150)
    accounts = {one["account_id"]: one for one in tree["accounts"]}
    assert {name: Decimal(one["amounts"]["arr"]) for name, one in accounts.items()} == {"A": 100, "B": 50}
    (o3,) = accounts["B"]["records"]
    assert (o3["record_id"], [one["_row"] for one in o3["received"]]) == ("o3", [3])
    of_new = ("--dimension", "order_type", "--value", "new")
    assert explained(lake, "bookings", "--quarter", "2026-Q1", *of_new)[1] == {"arr": 100}
    assert explained(lake, "bookings", "--month", "2026-02")[1] == {"arr": 50}
    assert explained(lake, "bookings.arr_growth", "--quarter", "2026-Q1")[1] == {"arr": 150, "arr_year_before": 80}
    only = command(lake, "bookings", "--quarter", "2026-Q1", "--only", "B").output
    assert "1 others" in only
    assert "o3" in only
    assert "o2" not in only


def change(name, day, stage, arr, *, expects, rep="R1", **more):
    said = {"history_id": name, "opportunity_id": name[0], "stage": stage, "valid_from_date": day, "rep_id": rep}
    said |= {"is_open": stage != "closed_won", "is_push": False, "arr_reporting": Decimal(arr), "opened_date": day}
    return said | {"expected_close_date": expects, "previous_rep_id": rep} | more


def test_a_number_that_no_row_publishes_is_the_sum_of_its_slices_and_a_ratio_that_of_the_sums(tmp_path):
    # R1 opened 200, which moves to the next quarter; R2 opened 300 and won it. Of the 500 in the quarter 200 slipped.
    march, june = date(2026, 3, 15), date(2026, 6, 15)
    states = [
        change("a1", date(2026, 1, 10), "discovery", 200, expects=march, valid_to_date=date(2026, 2, 5)),
        change("a2", date(2026, 2, 5), "discovery", 200, expects=june, is_push=True, previous_stage="discovery",
               previous_arr_reporting=Decimal(200), previous_expected_close_date=march),
        change("b1", date(2026, 1, 20), "discovery", 300, expects=march, rep="R2", valid_to_date=march),
        change("b2", march, "closed_won", 300, expects=march, rep="R2", previous_stage="discovery",
               previous_arr_reporting=Decimal(300), previous_expected_close_date=march),
    ]  # fmt: skip
    deals = [{"opportunity_id": name, "account_id": name.upper(), "segment": "SMB"} for name in ("a", "b")]
    whole = {"quarter": date(2026, 1, 1), "opportunity_type": "unknown", "segment": "SMB"}
    zeros = dict.fromkeys(("opening_arr", "reopened_arr", "pulled_in_arr"), Decimal(0))

    def published(rep, created, pushed, share):
        amounts = {"created_arr": Decimal(created), "pushed_out_arr": Decimal(pushed), "slipped_out_share": share}
        return whole | zeros | {"rep_id": rep} | amounts

    tables = {
        "silver.opportunity_states": states,
        "silver.opportunities": deals,
        "silver.quarantine": TABLES["silver.quarantine"],
        "bronze.opportunity_stage_history": [{"history_id": "a2", "_source": "s", "_batch_id": "b", "_row": 1}],
    }
    lake = made(
        tmp_path, tables | {"gold.pipeline_waterfall": [published("R1", 200, 200, 1.0), published("R2", 300, 0, 0.0)]}
    )
    tree = json.loads(command(lake, "slipped_out_share", "--quarter", "2026-Q1", "--json").output)
    assert (tree["published"], tree["adds_up"]) == (0.4, True)
    assert [(one["account_id"], Decimal(one["amounts"]["pushed_out_arr"] or 0)) for one in tree["accounts"]] == [
        ("A", 200),
        ("B", 0),
    ]
    of_r2 = ("--quarter", "2026-Q1", "--dimension", "rep_id", "--value", "R2")
    assert explained(lake, "created_arr", *of_r2)[1] == {"created_arr": 300}
    assert explained(lake, "created_arr", "--quarter", "2026-Q1")[1] == {"created_arr": 500}
    with pytest.raises(UsageError, match="rep_id one of R1, R2"):
        command(lake, "created_arr", "--quarter", "2026-Q1", "--dimension", "rep_id", "--value", "R3")
    spoilt = made(tmp_path / "spoilt", tables | {"gold.pipeline_waterfall": [published("R1", 201, 200, 1.0)]})
    with pytest.raises(LakehouseError, match=r"found 201\.00 in .*created_arr and 500\.00 from the rows"):
        command(spoilt, "created_arr", "--quarter", "2026-Q1")


def test_cents_that_rounding_each_slice_adds_are_a_part_of_the_pipeline_of_a_day(tmp_path):
    # Two deals of 10.01 at a half, 5.005 each: the table says 5.01 of each segment, so 10.02 together.
    states = [
        change(f"{name}1", MARCH, "discovery", "10.01", expects=MARCH, rep_probability=0.5, valid_to_date=None)
        for name in ("a", "b")
    ]
    deals = [
        {"opportunity_id": name, "account_id": name.upper(), "segment": segment}
        for name, segment in (("a", "SMB"), ("b", "Enterprise"))
    ]
    slices = [{"date": AS_OF, "segment": name, "weighted_arr": Decimal("5.01")} for name in ("SMB", "Enterprise")]
    lake = made(
        tmp_path,
        {
            "silver.opportunity_states": states,
            "silver.opportunities": deals,
            "silver.quarantine": TABLES["silver.quarantine"],
            "bronze.opportunity_stage_history": [{"history_id": "a1", "_source": "s", "_batch_id": "b", "_row": 1}],
            "gold.pipeline_daily": slices,
        },
    )
    tree, sums, _ = explained(lake, "weighted_pipeline", "--day", "2026-03-31")
    assert (tree["period"], sums) == (
        "2026-03-31",
        {"weighted_arr": Decimal("10.01"), "weighted_rounding": Decimal("0.01")},
    )


@pytest.mark.parametrize("status", ["too_young", "ok"])
def test_a_rate_that_is_withheld_for_a_declared_reason_does_not_differ_and_any_other_that_is_missing_does(
    tmp_path, status
):
    # One of two people who came in February is won by the end of March.
    leads = [
        {"lead_id": name, "first_lead_id": name, "is_reentry": False, "created_date": FEBRUARY, "lead_source": "direct"}
        | {"furthest_stage": stage, "is_self_service": False}
        for name, stage in (("l1", "won"), ("l2", "lead"))
    ]
    place = {"cohort_grain": "month", "cohort_start": FEBRUARY, "dimension": "all", "dimension_value": "all"}
    lake = made(
        tmp_path,
        {
            "silver.leads": leads,
            "bronze.leads": [{"lead_id": "l1", "_source": "s", "_batch_id": "b", "_row": 1}],
            "silver.quarantine": TABLES["silver.quarantine"],
            "bronze.marketing_spend": [],
            "bronze.exchange_rates": [],
            "gold.funnel": [place | {"lead_to_win_rate": None, "lead_to_win_rate_status": status}],
        },
    )
    if status == "too_young":
        page = command(lake, "lead_to_win_rate", "--month", "2026-02").output
        assert "1 ÷ 2 = 0.5, published nothing, since lead_to_win_rate_status = 'too_young'." in page
    else:
        with pytest.raises(
            LakehouseError, match=r"found None in gold\.funnel\.lead_to_win_rate and 0\.5 from the rows"
        ):
            command(lake, "lead_to_win_rate", "--month", "2026-02")


def test_a_ratio_of_groups_leaves_out_who_lacks_one_of_both(tmp_path):
    # LTV ÷ CAC of A alone, 100 ÷ 20; mean CAC of A and C, (20 + 10) ÷ 2; mean LTV of A and B, (100 + 50) ÷ 2.
    customers = [("A", 100, 20), ("B", 50, None), ("C", None, 10)]
    values = [
        {"customer_id": name, "ltv": ltv and Decimal(ltv), "realised_ltv": Decimal(30), "cac": cac and Decimal(cac)}
        for name, ltv, cac in customers
    ]
    costs = [
        {"customer_id": name, "marketing_cost": cac and Decimal(cac - 5), "sales_cost": cac and Decimal(5)}
        for name, _, cac in customers
    ]
    group = {"dimension": "all", "dimension_value": "all", "ltv_cac_ratio": 5.0}
    lake = made(
        tmp_path,
        {
            "gold.unit_economics": values,
            "gold.customer_acquisition_costs": costs,
            "gold.unit_economics_by_segment": [group | {"mean_cac": Decimal(15), "ltv": Decimal(75)}],
        },
    )
    assert explained(lake, "ltv_cac_ratio")[1] == {"ltv_of_both": 100, "cac_of_both": 20}
    assert explained(lake, "cac")[1] == {"marketing_cost": 20, "sales_cost": 10, "customers_with_cac": 2}
    assert explained(lake, "ltv")[1] == {"ltv_realised": 60, "ltv_expected": 90, "customers_with_ltv": 2}


@pytest.mark.parametrize(
    ("metric", "column", "wrong", "told"),
    [
        ("closing_mrr", "closing_mrr", Decimal("180.01"), r"found 180\.01 in .*closing_mrr and 180\.00 from the rows"),
        ("arr", "arr", Decimal("2159.99"), r"found 2159\.99 .* and 2160\.00 from"),
        ("arpa", "arpa", Decimal("90.01"), r"found 90\.01 "),
        ("nrr_12m", "nrr_12m", 0.464285717, "found 0.464285717 "),
        ("quick_ratio", "quick_ratio", None, "found None "),
    ],
)
def test_a_number_that_is_not_what_its_rows_come_to_is_told_and_the_command_fails(
    tmp_path, metric, column, wrong, told
):
    everybody, *others = TABLES["gold.mrr_movements"]
    # The last month is over, so that a rate is missing in it is a difference as well.
    lake = made(tmp_path, TABLES | {"gold.mrr_movements": [everybody | {column: wrong}, *others]})
    with pytest.raises(LakehouseError, match=told) as refused:
        command(lake, metric)
    assert refused.value.exit_code == 1
    assert refused.value.args[0].startswith(f"The parts of {metric} (2026-03) do not add up to it")


def test_rows_that_do_not_come_to_the_ledger_are_told_though_the_parts_add_up(tmp_path):
    rows = [row | {"monthly_amount": Decimal("129.99")} if row["subscription_item_id"] == "a2" else row
            for row in TABLES["silver.subscriptions"]]  # fmt: skip
    lake = made(tmp_path, TABLES | {"silver.subscriptions": rows})
    with pytest.raises(LakehouseError, match=r"another MRR of 1 customers, such as A"):
        command(lake, "closing_mrr")
    assert "The parts add up" in CliRunner().invoke(app, ["explain", "closing_mrr", "--root", str(tmp_path)]).output
    # Under a policy by which MRR may be more than the terms of the day nobody can tell.
    metrics = load(PROJECT / "conf").metrics
    published = Database(lake, lake.published(), metrics)
    explanation = explain(address("closing_mrr", None, {}, AS_OF), published)
    board = metrics.policies["board"]
    assert evidence(explanation, published, board).unlike == ("A",)
    assert evidence(explanation, published, board.model_copy(update={"late_renewal_days": 30})).unlike == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["closing_mr"], "no metric 'closing_mr'.*Did you mean closing_mrr"),
        (
            ["median_cac"],
            r"median of cac.*a median or another quantile, which is no sum.*gold\.unit_economics_by_segment\.median_cac",
        ),
        (
            ["nrr", "--month", "2031-01"],
            r"the month 2031-01; expected a month of gold\.mrr_movements, which has 1: 2026-03\.",
        ),
        (["nrr", "--segment", "Huge"], "for 2026-03, segment Huge; expected segment one of Enterprise, SMB"),
        (["nrr", "--dimension", "colour", "--value", "red"], "by one of plan, billing_cadence, segment"),
        (["nrr", "--dimension", "plan"], "--dimension plan and --value nothing; expected one value for each"),
        (["nrr", "--segment", "SMB", "--dimension", "segment", "--value", "SMB"], "each dimension once"),
        (["nrr", "--segment", "SMB", "--dimension", "plan", "--value", "Business"], "nrr --dimension segment"),
        (["nrr", "--customer", "Z"], "the customer 'Z', who adds nothing to it; expected one of its 2 customers"),
        (["total_cac", "--month", "2026-03"], "in gold.unit_economics_by_segment as of now, without a month"),
        (["payment_amount"], r"in gold\.payment_summary with a month, with a value of method and status"),
        (
            ["quick_ratio", "--quarter", "2026-Q1"],
            r"quick_ratio --quarter 2026-Q1.*in gold\.mrr_movements with a month",
        ),
        (["nrr", "--quarter", "2026-1"], "--quarter 2026-1; expected one period, a quarter as 2026-Q1"),
        (
            ["nrr", "--quarter", "2026-Q1", "--month", "2026-03"],
            "--month 2026-03 --quarter 2026-Q1; expected one period",
        ),
        (["median_days_to_win"], "a median or another quantile, which is no sum"),
        (["forecast"], r"an estimate of a model.*It stands in gold\.pipeline_forecast"),
        (["total_cac"], r"The table gold\.unit_economics_by_segment is not published"),
    ],
)
def test_what_cannot_be_explained_is_told_with_what_can(lake, arguments, told):
    with pytest.raises(UsageError, match=told) as refused:
        command(lake, *arguments)
    assert refused.value.exit_code == 2


def test_a_formula_is_read_as_the_terms_above_and_below_the_line():
    formula = parsed("(90 × owed - credited) ÷ all billed")
    assert formula.numerator == (Term("owed", 90, is_of_all=False), Term("credited", -1, is_of_all=False))
    assert formula.denominator == (Term("billed", 1, is_of_all=True),)
    assert parsed("owed").denominator == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "owed billed",
        "owed * 2",
        "owed ÷ billed ÷ paid",
        "Owed",
        "owed +",
        "owed - paid ÷ billed",
        "(owed) ÷ billed",
    ],
)
def test_a_text_that_is_no_sum_of_terms_is_refused(text):
    with pytest.raises(ValueError, match=r"no sum of terms|needs brackets"):
        parsed(text)


def test_every_source_names_what_its_table_declares_and_says_what_each_part_is():
    for source in sources():
        declared = set(job(source.table).table.column_names)
        assert set(source.metrics) | set(source.columns) <= declared
        assert source.period_column is None or source.period_column in declared
        assert set(source.slices) <= declared
        assert set(source.withheld) <= set(source.metrics)
        assert bool(source.dimensions) == ({"dimension", "dimension_value"} <= declared)
    unsaid = {(figure.place, term.part) for figure in figures() for term in figure.formula.terms
              if figure.meaning(term.part) == term.part}  # fmt: skip
    assert unsaid == set()


def measures():
    """The amounts, ratios and counts of every gold table, by place; the bounds of an interval go with what they bound."""
    return {
        f"{name}.{column.name}"
        for name, declared in jobs().items()
        if declared.table.layer == "gold"
        for column in declared.table.columns
        if column.type.startswith(("double", "decimal", "bigint"))
        and column.name not in declared.table.key
        and not column.name.endswith(BOUNDS)
    }


def test_every_measure_of_a_gold_table_is_taken_apart_or_has_a_reason_why_not():
    taken = {figure.place for figure in figures()}
    assert len(taken) > 300
    assert {place for place in measures() - taken if reason_of(place) is None} == set()


def test_a_reason_is_given_only_to_what_is_not_taken_apart():
    taken = {figure.place for figure in figures()}
    tables = {name for name, declared in jobs().items() if declared.table.layer == "gold"}
    assert set(reasons()) <= (measures() - taken) | tables
    assert {
        table
        for table in tables & set(reasons())
        if not any(place.startswith(f"{table}.") for place in measures() - taken)
    } == set()
    assert reason_of("gold.bookings.arr") is None
    assert reason_of("gold.dim_account.mrr") == reasons()["gold.dim_account"]


def test_only_estimates_scores_and_the_like_keep_a_reason_among_the_metrics_of_the_revenue_engine():
    """These tables hold nothing but what a row adds to, beside quantiles and inequality: an omission here is no reason."""
    engine = ("bookings", "bookings_reconciliation", "pipeline_daily", "pipeline_waterfall", "executive_revenue", "funnel",
              "renewals", "rep_performance", "win_rates", "term_mix", "attribution", "arr_composition")  # fmt: skip
    left = {
        place for place in measures() for table in engine if place.startswith(f"gold.{table}.") and reason_of(place)
    }
    assert {place.rpartition(".")[2] for place in left} == {"median_cycle_days", "p90_cycle_days"}


@pytest.mark.parametrize(
    ("period", "name", "end", "last_month"),
    [
        (Period("quarter", date(2026, 4, 1)), "2026-Q2", date(2026, 6, 30), date(2026, 6, 1)),
        (Period("month", date(2024, 2, 1)), "2024-02", date(2024, 2, 29), date(2024, 2, 1)),
        (Period("day", date(2024, 2, 28)), "2024-02-28", date(2024, 2, 28), date(2024, 2, 1)),
    ],
)
def test_a_period_has_a_name_an_end_and_a_last_month(period, name, end, last_month):
    assert (str(period), period.end, period.last_month) == (name, end, last_month)


@pytest.mark.parametrize(
    ("as_of", "quarter", "month"),
    [
        (date(2026, 3, 31), date(2026, 1, 1), date(2026, 3, 1)),
        (date(2026, 3, 30), date(2025, 10, 1), date(2026, 2, 1)),
        (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 1)),
    ],
)
def test_a_period_is_complete_at_the_end_of_its_last_day(as_of, quarter, month):
    assert last_complete("quarter", as_of) == Period("quarter", quarter)
    assert last_complete("month", as_of) == Period("month", month)
    assert last_complete("day", as_of) == Period("day", as_of)


def test_the_page_is_current():
    """Write it anew with `python -m lakehouse.explain.reference`."""
    assert rendered(sources()) == PAGE.read_text(encoding="utf-8")
