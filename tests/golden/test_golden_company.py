"""Numbers of the golden company, each worked out by hand from its story and the metric definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache

import pytest
from pyspark.sql import DataFrame

from lakehouse.registry import jobs
from lakehouse.runner import computed
from tests.billing import day
from tests.golden.company import RECORDS, REFERRED

Rows = list[dict[str, object]]
MOVEMENTS = ("new", "expansion", "contraction", "churned", "reactivation", "fx")

# Of 40 customers at age 0 (months) FLASH left, of 39 at age 2 UNPAID, of 38 at age 3 LEFT and PAUSED. WEEK is 4 months
# old, the other 35 are 5: 40 + 39 + 39 + 38 + 36 + 35 = 227 customer-months at risk.
TAIL_HAZARD = 4 / 227
# A month further is worth (1 - hazard) / 1.1^(1/12) as much, for 120 months: a geometric series.
NEXT_MONTH = (1 - TAIL_HAZARD) / 1.1 ** (1 / 12)
MONTHS_AHEAD = NEXT_MONTH * (1 - NEXT_MONTH**120) / (1 - NEXT_MONTH)


@pytest.fixture(scope="module")
def company(spark, rows, settings) -> Mapping[str, Rows]:
    """The rows of each table that is asked for, computed by its job and those of everything that it follows from."""

    class Company(dict[str, Rows]):
        def __missing__(self, name: str) -> Rows:
            self[name] = frame_of(name).toArrow().to_pylist()
            return self[name]

    @cache
    def frame_of(name: str) -> DataFrame:
        job = jobs()[name]
        if job.transform is None:
            return rows(job.table, *RECORDS.get(name, ()))
        inputs = {parameter: frame_of(source) for parameter, source in job.table.inputs.items()}
        # Through Arrow, so that no plan contains those of the tables before it.
        return spark.createDataFrame(computed(job, inputs, settings).toArrow())

    return Company()


@pytest.fixture
def months(company) -> Rows:
    return company["silver.customer_months"]


@pytest.fixture
def economics(company) -> Rows:
    return company["gold.unit_economics"]


@pytest.fixture
def groups(company) -> Rows:
    return company["gold.unit_economics_by_segment"]


def some(found: Rows, **where: object) -> Rows:
    """Return the rows with these values."""
    return [row for row in found if all(row[name] == value for name, value in where.items())]


def the(found: Rows, **where: object) -> dict[str, object]:
    """Return the only row with these values."""
    (row,) = some(found, **where)
    return row


def total(found: Iterable[dict], column: str) -> Decimal:
    return sum((row[column] for row in found), Decimal(0))


def nine_digits(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def cents(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        # 20 x 100 starters, 5 x 1,200 / 12 annual, 200 euros at 1.10 = 220, 250 DOWN, 2 x 100 TWO, 300 / 3 QUARTER,
        # 60 COUPON and 8 x 100 (UP, LEFT, BACK, PAUSED, DUE, ADD, FIXED, UNPAID).
        ("01-01", 2000 + 500 + 220 + 250 + 200 + 100 + 60 + 800),
        ("02-01", 4130 + 12 * 52 / 12 + 50),  # WEEK, add-on
        ("03-01", 4232 - 100 - 100 + 150 + 20),  # BACK, UNPAID, UP, 200 euros x (1.20 - 1.10)
        ("04-01", 4202 - 150 - 100 - 100 + 40),  # DOWN, LEFT, PAUSED, COUPON
        ("05-01", 3892 + 150 - 100),  # BACK, TWO
        ("06-01", 3942 + 120 + 15),  # 100 euros x 1.20, 300 euros x (1.25 - 1.20)
    ],
)
def test_recurring_revenue_of_a_month(months, month, expected):
    assert total(some(months, month=day(month)), "closing_mrr") == expected


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("01-01", (4130, 0, 0, 0, 0, 0)),
        ("02-01", (52 + 300, 50, 0, 300, 0, 0)),  # FLASH comes and goes
        ("03-01", (0, 150, 0, 100 + 100, 0, 20)),
        ("04-01", (0, 40, 150, 100 + 100, 0, 0)),
        ("05-01", (0, 0, 100, 0, 150, 0)),
        ("06-01", (0, 120, 0, 0, 0, 15)),
    ],
)
def test_movements_of_a_month(months, month, expected):
    found = some(months, month=day(month))
    assert tuple(total(found, f"{name}_mrr") for name in MOVEMENTS) == expected


def test_only_whoever_paid_is_in_the_ledger(months, company):
    assert len({row["customer_id"] for row in months}) == 20 + 5 + 7 + 6 + 2
    stages = {row["customer_id"]: row["lifecycle_stage"] for row in company["silver.customers"]}
    assert {name: stages[name] for name in ("TRIAL", "FREE", "LATER", "DUE", "BACK", "LEFT", "FIXED")} == {
        "TRIAL": "trial",
        "FREE": "prospect",
        "LATER": "prospect",
        "DUE": "past_due",
        "BACK": "reactivated",
        "LEFT": "churned",
        "FIXED": "active",
    }


def test_terms_that_end_before_they_start_are_set_aside(company):
    assert [(row["table_name"], row["rule"]) for row in company["silver.quarantine"]] == [
        ("bronze.subscriptions", "end_before_start")
    ]


def test_revenue_of_a_month_is_the_mean_of_its_days_and_what_is_sold_once(months):
    up, add = the(months, customer_id="UP", month=day("03-01")), the(months, customer_id="ADD", month=day("02-01"))
    assert up["revenue"] == Decimal("182.26")  # (14 x 100 + 17 x 250) / 31
    assert add["revenue"] == 100 + 50 + 900
    flash = the(months, customer_id="FLASH", month=day("02-01"))
    assert flash["revenue"] == Decimal("160.71")  # 300 x 15 / 28


def test_cost_of_acquisition_with_what_earlier_months_carry(economics):
    cac = {row["customer_id"]: row["cac"] for row in economics}
    # Marketing's 800 of January spread 1,000 : 500 : 100 over the programmes, 500, 250 and 50.
    assert cac["S01"] == 75  # (1,000 + 500) / 20
    assert cac["A1"] == 400  # 2,000 of sales / 5 won by a rep
    assert cac["WEEK"] == 675 + 250  # (500 + 250 carried, 300 + 300) / 2; 500 of sales / 2, as no rep won anybody
    assert cac["FLASH"] == 675 + 250
    assert cac["TWO"] == 0
    assert sorted(cac[name] for name in REFERRED) == [Decimal("21.42"), *6 * [Decimal("21.43")]]  # (100 + 50) / 7


def test_every_dollar_of_spend_is_borne_or_waits(company, economics):
    spent = company["gold.acquisition_costs"]
    # Programmes 2,100, marketing 1,100, sales 3,100; after February nobody bears 200 of paid search and 600 of sales.
    assert total(spent, "total_spend") == 6300
    assert total(economics, "cac") == 20 * 75 + 5 * 400 + 150 + 2 * 925
    assert total(spent, "unallocated") == 6300 - 5500


def test_gross_profit_of_june(company):
    june = some(company["gold.customer_margins"], month=day("06-01"))
    assert the(june, customer_id="S01")["gross_profit"] == 100 - 30 - 10  # 30 of 40 events, one of two tickets
    assert the(june, customer_id="EURO")["gross_profit"] == 375 - 10
    assert the(june, customer_id="UP")["gross_profit"] == 250 - 10
    assert the(june, customer_id="A1")["gross_profit"] == 100


def test_gross_margin_of_a_customer_and_of_the_company(economics):
    margin = {row["customer_id"]: row["gross_margin"] for row in economics}
    assert margin["S01"] == nine_digits((5 * 99 + 60) / 600)
    assert margin["EURO"] == nine_digits((1535 - 5 - 10) / 1535)  # 2 x 220 + 3 x 240 + 375
    # FLASH had one month. Of all: January 4,130 - 38; February 4,232 + 160.71 + 900 - 40; March 4,202 - 67.74 - 37, as
    # UP had 182.26 for 250; April 3,892 - 35; May 3,942 - 43.55 - 36, as BACK had 150 x 22/31; June 4,077 - 40 - 20.
    revenue = 4130 + 5292.71 + 4134.26 + 3892 + 3898.45 + 4077
    assert margin["FLASH"] == nine_digits((revenue - 38 - 40 - 37 - 35 - 36 - 60) / revenue)


def test_revenue_per_account_counts_active_months_only(economics):
    arpa = {row["customer_id"]: row["arpa"] for row in economics}
    assert arpa["BACK"] == (100 + 100 + 150 + 150) / 4
    assert arpa["EURO"] == Decimal("255.83")  # 1,535 / 6
    assert arpa["FLASH"] is None


def test_payback(economics):
    found = {row["customer_id"]: row for row in economics}
    assert found["S01"]["cac_payback_months"] == nine_digits(75 / 92.5)
    assert found["A1"]["cac_payback_months"] == pytest.approx(400 / (100 * 595 / 600), rel=1e-7)
    assert found["S01"]["observed_payback_months"] == 1  # 99 >= 75
    assert found["A1"]["observed_payback_months"] == 5  # 4 x 99 < 400 <= 5 x 99
    assert found["FLASH"]["payback_status"] == "never"


def test_realised_lifetime_value_is_cash_without_tax_and_refunds(economics):
    realised = {row["customer_id"]: row["realised_ltv"] for row in economics}
    assert realised["S01"] == Decimal("508.75")  # (6 x 110 - 55) x 100/110 = 550, x 0.925
    assert realised["EURO"] == 209  # 220 x 1.10 x 200/220 = 220, x the highest margin of 0.95
    assert realised["A1"] == 0


def test_survival_is_that_of_kaplan_and_meier(company):
    curve = {row["age_months"]: row for row in company["gold.survival_curves"] if row["dimension"] == "all"}
    assert [curve[age]["survival"] for age in (0, 2, 5)] == [
        nine_digits(39 / 40),
        nine_digits(39 / 40 * 38 / 39),
        nine_digits(39 / 40 * 38 / 39 * 36 / 38),
    ]
    assert curve[5]["remaining_months"] == nine_digits(MONTHS_AHEAD)


def test_lifetime_value_adds_what_is_expected_ahead(economics):
    found = {row["customer_id"]: row for row in economics}
    assert found["S01"]["ltv"] == cents(508.75 + 92.5 * MONTHS_AHEAD)
    assert found["A1"]["ltv"] == cents(95 * MONTHS_AHEAD)
    assert found["S01"]["ltv_formula"] == Decimal("5249.38")  # 92.5 x 227 / 4
    assert found["LEFT"]["ltv"] == found["LEFT"]["realised_ltv"] == 0


def test_churn_of_everybody(groups):
    everybody = the(groups, dimension="all")
    assert (everybody["customers"], everybody["active_customers"]) == (40, 36)
    assert everybody["churn_rate"] == nine_digits(4 / 40)
    # Opened with MRR: 38 in February, 39, 37, 35 and 36. BACK, UNPAID, LEFT and PAUSED closed without; FLASH never
    # opened with any.
    assert everybody["monthly_churn_rate"] == nine_digits(4 / 185)
    # Wilson: (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n), with z²/n = 0.0960365
    assert everybody["churn_rate_low"] == pytest.approx((0.1480182 - 0.1046378) / 1.0960365, abs=1e-6)
    assert everybody["churn_rate_high"] == pytest.approx((0.1480182 + 0.1046378) / 1.0960365, abs=1e-6)


def test_ratios_of_a_group_are_ratios_of_sums(groups):
    annual = the(groups, dimension="company_size", dimension_value="Mid-Market")
    assert annual["total_cac"] == 5 * 400
    assert annual["share_of_mrr"] == nine_digits(500 / 4077)
    assert annual["cac_payback_months"] == pytest.approx(5 * 400 / (5 * 100 * 595 / 600), rel=1e-7)
    assert annual["ltv_cac_ratio"] == nine_digits(float(5 * cents(95 * MONTHS_AHEAD)) / 2000)
    searched = the(groups, dimension="acquisition_channel", dimension_value="paid_search")
    assert (searched["customers"], searched["churn_rate"], searched["mean_cac"]) == (2, 0.5, 925)


def test_use_of_a_day_a_customer_and_a_month(company):
    tenth = the(company["silver.usage_daily"], customer_id="S01", usage_date=day("06-10"))
    assert (tenth["events"], tenth["users"], tenth["active_users"], tenth["categories_used"]) == (20, 2, 1, 2)
    customer = the(company["gold.customer_usage"], customer_id="S01")
    assert (customer["events"], customer["active_days"], customer["events_per_active_day"]) == (30, 2, 15)
    june = the(company["gold.monthly_usage"])
    assert (june["month"], june["events"], june["active_customers"], june["active_users"]) == (day("06-01"), 40, 2, 2)


def test_top_features_leave_logins_out(company):
    top = sorted(some(company["gold.top_features"], period="all"), key=lambda row: row["rank"])
    assert [(row["feature"], row["events"], row["customers"]) for row in top] == [
        ("dashboard_view", 20, 2),
        ("rest_api", 10, 1),
        ("report_builder", 5, 1),
    ]
    assert top[0]["share_of_events"] == nine_digits(20 / 35)


def test_payments_of_june_and_in_euros(company):
    june = some(company["gold.payment_summary"], payment_month=day("06-01"))
    found = {row["status"]: (row["attempts"], row["recovered_attempts"], row["net_cash"]) for row in june}
    assert found == {"succeeded": (1, 1, 110), "failed": (1, 0, 0), "refunded": (1, 0, -55)}
    assert the(company["gold.payment_summary"], method="wire")["amount"] == 242  # 220 euros x 1.10


def test_a_ticket_that_took_too_long(company, economics):
    ticket = the(company["silver.tickets"], customer_id="S01")
    assert (ticket["resolution_hours"], ticket["sla_ratio"], ticket["is_breached"]) == (30, 30 / 24, True)
    assert the(economics, customer_id="S01")["support_sentiment_score"] == (1 - 0.5) / 2
