"""gold.revenue_reconciliation and gold.revenue_bridge: known reasons by hand, planted errors, and what adds up."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.gold.revenue_bridge import table as bridge_table
from jobs.gold.revenue_bridge import transform as bridged
from jobs.gold.revenue_reconciliation import table, transform
from jobs.silver.billing_schedule import table as billing_schedule
from jobs.silver.customer_months import table as customer_months
from jobs.silver.invoices import table as invoices
from jobs.silver.payments import table as payments
from lakehouse.generator.build import views
from lakehouse.metrics.reconciliation import terms_to_invoices
from lakehouse.registry import jobs
from tests.billing import EXCHANGE_RATES, audited, day

AS_OF = day("05-31")


def line(customer_id, start, end, amount, *, line_type="period", monthly=None, **others):
    """A line that is served to its end, by the month unless told."""
    usual = {
        "subscription_item_id": f"{customer_id} {start}",
        "customer_id": customer_id,
        "billing_month": day(start).replace(day=1),
        "period_start": day(start),
        "period_end": day(end),
        "held_until": day(end),
        "served_until": day(end),
        "line_type": line_type,
        "months_in_interval": Decimal(1),
        "amount": Decimal(amount),
        "amount_reporting": Decimal(amount),
        "monthly_amount": Decimal(amount if monthly is None else monthly),
        "currency": "USD",
    }
    return usual | others


def bill(customer_id, issued, net, *, status="paid", start=None, tax="0", **others):
    amounts = {"subtotal": Decimal(net), "tax": Decimal(tax), "total": Decimal(net) + Decimal(tax)}
    usual = {
        "invoice_id": f"{customer_id} {issued}",
        "customer_id": customer_id,
        "invoice_type": "invoice",
        "issued_at": datetime.fromisoformat(f"2026-{issued}T00:30"),
        "invoice_month": day(issued).replace(day=1),
        "due_at": datetime.fromisoformat(f"2026-{issued}T00:30"),
        "period_start": day(start or issued),
        "status": status,
    }
    return usual | amounts | {f"{name}_reporting": value for name, value in amounts.items()} | others


def paid(customer_id, made, invoice_id, gross, *, status="succeeded", net=None, reporting=None):
    reporting = Decimal(reporting or gross)
    return {
        "payment_id": f"{customer_id} {made} {status}",
        "invoice_id": invoice_id,
        "customer_id": customer_id,
        "payment_month": day(made).replace(day=1),
        "amount": Decimal(gross),
        "amount_reporting": reporting,
        "amount_net_of_tax_reporting": Decimal(net) if net else reporting,
        "status": status,
        "is_succeeded": status == "succeeded",
    }


def earned(customer_id, month, average, *, one_time="0", closing=None):
    return {
        "customer_id": customer_id,
        "month": day(month),
        "average_daily_mrr": Decimal(average),
        "one_time_amount": Decimal(one_time),
        "revenue": Decimal(average) + Decimal(one_time),
        "closing_mrr": Decimal(average if closing is None else closing),
    }


EURO = {"currency": "EUR", "amount_reporting": Decimal(120)}  # at 1.20; 1.00 from 30 April on
NEXT_YEAR = date(2027, 5, 1)
CUT_OFF = {"held_until": day("05-11"), "served_until": day("05-11")}

LINES = (
    line("plain", "05-01", "06-01", "100"),
    line("grows", "05-01", "06-01", "100", held_until=day("05-16")),
    line("grows", "05-16", "06-01", "32.258065", line_type="proration", monthly="162.5"),  # 62.5 x 16 of 31 days
    line("reissued", "04-30", "05-30", "100"),
    line("yearly", "05-01", "05-02", "1200", monthly="100", months_in_interval=Decimal(12))
    | dict.fromkeys(("period_end", "held_until", "served_until"), NEXT_YEAR),
    line("given_back", "05-01", "06-01", "100"),
    line("setup", "05-02", "05-03", "50", line_type="one_time", monthly="0"),
    line("euro", "04-01", "05-01", "100", **EURO),
    line("cut_off", "05-01", "06-01", "310", **CUT_OFF),
    *(line(name, "05-01", "06-01", "100") for name in ("missing", "doubled", "wrong", "short", "overstated")),
    line("underbilled", "05-01", "06-01", "100", monthly="200"),
)

INVOICES = (
    bill("plain", "05-01", "100", tax="20"),
    bill("grows", "05-01", "100"),
    bill("grows", "05-16", "32.26", status="open"),
    bill("reissued", "04-30", "100", status="void"),
    bill("reissued", "05-03", "100", start="04-30"),
    bill("yearly", "05-01", "1200", status="open", due_at=datetime(2026, 5, 31)),
    bill("given_back", "05-01", "100"),
    bill("given_back", "05-10", "40", start="05-01", invoice_type="credit_note"),
    bill("setup", "05-02", "50"),
    bill("euro", "04-01", "100", subtotal_reporting=Decimal(120), total_reporting=Decimal(120)),
    bill("cut_off", "05-01", "310", status="uncollectible"),
    bill("doubled", "05-01", "100"),
    bill("doubled", "05-02", "100", start="05-01", status="open"),
    bill("wrong", "05-01", "100.01"),
    *(bill(name, "05-01", "100") for name in ("short", "overstated", "underbilled")),
)

PAYMENTS = (
    paid("plain", "05-01", "plain 05-01", "120", net="100"),
    paid("plain", "05-02", "plain 05-01", "120", status="failed"),
    paid("grows", "05-01", "grows 05-01", "100"),
    paid("reissued", "05-03", "reissued 05-03", "100"),
    paid("given_back", "05-01", "given_back 05-01", "100"),
    paid("given_back", "05-10", "given_back 05-01", "40", status="refunded"),
    paid("setup", "05-02", "setup 05-02", "50"),
    paid("euro", "05-02", "euro 04-01", "100"),
    *(paid(name, "05-01", f"{name} 05-01", "100") for name in ("doubled", "overstated", "underbilled")),
    paid("wrong", "05-01", "wrong 05-01", "100.01"),
    paid("short", "05-01", "short 05-01", "90"),
    paid("stray", "05-01", None, "70"),
    paid("stray", "05-01", None, "15", status="refunded"),
)

LEDGER = (
    earned("plain", "05-01", "100"),
    earned("grows", "05-01", "132.26", closing="162.50"),  # (100 x 15 + 162.5 x 16) / 31
    earned("reissued", "04-01", "3.33", closing="100"),  # 100 x 1 / 30
    earned("reissued", "05-01", "93.55", closing="0"),  # 100 x 29 / 31
    earned("yearly", "05-01", "100"),
    earned("given_back", "05-01", "100"),
    earned("setup", "05-01", "0", one_time="50"),
    earned("euro", "04-01", "100"),
    earned("cut_off", "05-01", "100", closing="0"),  # 310 x 10 / 31
    *(earned(name, "05-01", "100") for name in ("missing", "doubled", "wrong", "short")),
    earned("overstated", "05-01", "130"),
    earned("underbilled", "05-01", "200"),
)


@pytest.fixture(scope="module")
def reconciliation(rows):
    return transform(
        billing_schedule=rows(billing_schedule, *LINES),
        invoices=rows(invoices, *INVOICES),
        payments=rows(payments, *PAYMENTS),
        customer_months=rows(customer_months, *LEDGER),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    ).localCheckpoint()


@pytest.fixture(scope="module")
def slices(reconciliation):
    return audited(reconciliation, table)


def of(slices, customer_id, step):
    return {
        (row.reason, row.month.month): (float(row.from_amount), float(row.to_amount))
        for row in slices
        if (row.customer_id, row.step) == (customer_id, step)
    }


def test_what_is_billed_and_paid_as_agreed_differs_by_the_tax_alone(slices):
    assert of(slices, "plain", "terms_to_invoices") == {("agreed", 5): (100, 100)}
    assert of(slices, "plain", "invoices_to_payments") == {("agreed", 5): (100, 100), ("tax", 5): (0, 20)}
    assert of(slices, "plain", "terms_to_revenue") == {("timing_billing_period", 5): (100, 100)}
    assert of(slices, "plain", "revenue_to_mrr") == {("agreed", 5): (100, 100)}


def test_half_a_cent_on_the_rest_of_a_period_is_rounding(slices):
    assert of(slices, "grows", "terms_to_invoices") == {
        ("agreed", 5): (100, 100),
        ("rounding", 5): (32.258065, 32.26),
    }
    assert of(slices, "grows", "invoices_to_payments") == {("agreed", 5): (100, 100), ("past_due", 5): (32.26, 0)}
    assert of(slices, "grows", "terms_to_revenue") == {
        ("timing_billing_period", 5): (132.258065, 132.258065),
        ("rounding", 5): (0, 0.001935),
    }
    assert of(slices, "grows", "revenue_to_mrr") == {("change_within_month", 5): (132.26, 162.5)}


def test_a_void_invoice_counts_in_the_month_in_which_it_is_issued_again(slices):
    assert of(slices, "reissued", "terms_to_invoices") == {
        ("timing_invoice", 4): (100, 0),
        ("timing_invoice", 5): (0, 100),
    }
    assert of(slices, "reissued", "invoices_to_payments") == {("agreed", 5): (100, 100)}
    assert of(slices, "reissued", "terms_to_revenue") == {
        ("timing_billing_period", 4): (100, 3.333333),  # a day of 30
        ("rounding", 4): (0, -0.003333),
        ("timing_billing_period", 5): (0, 96.666667),
        ("day_count", 5): (0, -3.11828),  # 29 days of 31 instead of 30
        ("rounding", 5): (0, 0.001613),
    }


def test_a_year_paid_ahead_is_earned_by_days(slices):
    assert of(slices, "yearly", "invoices_to_payments") == {("unpaid", 5): (1200, 0)}  # due on the as-of day
    assert of(slices, "yearly", "terms_to_revenue") == {
        ("timing_annual_prepayment", 5): (1200, 101.917808),  # 31 days of 365
        ("day_count", 5): (0, -1.917808),
    }


def test_what_is_given_back_is_a_credit_note_and_its_refund(slices):
    assert of(slices, "given_back", "terms_to_invoices") == {
        ("agreed", 5): (100, 100),
        ("credit_note", 5): (0, -40),
    }
    assert of(slices, "given_back", "invoices_to_payments") == {("agreed", 5): (100, 100), ("refund", 5): (-40, -40)}


def test_what_is_sold_once_is_revenue_and_no_mrr(slices):
    assert of(slices, "setup", "terms_to_revenue") == {("one_time", 5): (50, 50)}
    assert of(slices, "setup", "revenue_to_mrr") == {("one_time", 5): (50, 0)}


def test_rates_that_change_are_fx(slices):
    assert of(slices, "euro", "invoices_to_payments") == {
        ("timing_payment", 4): (120, 0),
        ("timing_payment", 5): (0, 120),
        ("fx", 5): (0, -20),
    }
    assert of(slices, "euro", "terms_to_revenue") == {("timing_billing_period", 4): (120, 120), ("fx", 4): (0, -20)}


def test_a_period_that_is_cut_off_is_billed_in_full_and_neither_paid_nor_earned(slices):
    assert of(slices, "cut_off", "invoices_to_payments") == {("written_off", 5): (310, 0)}
    assert of(slices, "cut_off", "terms_to_revenue") == {
        ("timing_billing_period", 5): (310, 310),
        ("ended_early", 5): (0, -210),
    }


def test_every_planted_error_is_unexplained_in_its_own_step(slices):
    unexplained = {
        (row.customer_id, row.step): (float(row.from_amount), float(row.to_amount))
        for row in slices
        if not row.is_explained
    }
    assert unexplained == {
        ("missing", "terms_to_invoices"): (100, 0),
        ("doubled", "terms_to_invoices"): (100, 200),
        ("wrong", "terms_to_invoices"): (100, 100.01),
        ("short", "invoices_to_payments"): (100, 90),
        ("stray", "invoices_to_payments"): (0, 70 - 15),
        ("overstated", "terms_to_revenue"): (0, 30),
        ("underbilled", "terms_to_revenue"): (0, 100),
    }


def test_the_bridge_leads_from_total_to_total(reconciliation):
    months = {row.month.month: row for row in audited(bridged(reconciliation, "USD"), bridge_table)}
    may = months[5]
    assert may.invoiced == sum(
        Decimal(amount) for amount in ("100", "132.26", "100", "1200", "60", "50", "310", "200", "100.01", "300")
    )
    assert may.net_cash == sum(
        Decimal(amount) for amount in ("120", "100", "100", "60", "50", "100", "300", "100.01", "90", "55")
    )
    assert may.revenue == sum(row["revenue"] for row in LEDGER if row["month"] == day("05-01"))
    assert may.closing_mrr == sum(row["closing_mrr"] for row in LEDGER if row["month"] == day("05-01"))
    assert (may.unexplained_rows, may.invoiced_unexplained) == (7, Decimal("0.01"))  # 100 more, 100 less, a cent


@pytest.fixture
def bridge_of(rows):
    """Return May of the bridge of one customer, billed and paid by these records."""

    def bridge(bills, paid_ones):
        found = transform(
            billing_schedule=rows(billing_schedule, line("plain", "05-01", "06-01", "100")),
            invoices=rows(invoices, *bills),
            payments=rows(payments, *paid_ones),
            customer_months=rows(customer_months, earned("plain", "05-01", "100")),
            exchange_rates=rows(received_rates),
            as_of=AS_OF,
            reporting_currency="USD",
        )
        (may,) = audited(bridged(found, "USD"), bridge_table)
        return may

    return bridge


def test_without_invoices_and_payments_the_bridge_leads_from_terms_to_revenue_alone(bridge_of):
    may = bridge_of([], [])
    assert (may.expected_billings, may.revenue, may.closing_mrr, may.unexplained_rows) == (100, 100, 100, 0)
    assert (may.invoiced, may.invoiced_unexplained, may.invoiced_rounding) == (None, None, None)
    assert (may.net_cash, may.cash_unpaid, may.cash_rounding) == (None, None, None)


def test_with_invoices_alone_what_was_collected_is_unknown(bridge_of):
    may = bridge_of([bill("plain", "05-01", "100")], [])
    assert (may.expected_billings, may.invoiced, may.invoiced_unexplained) == (100, 100, 0)
    assert (may.net_cash, may.cash_unpaid, may.cash_past_due) == (None, None, None)


def test_with_payments_alone_the_cash_is_known_and_leads_to_no_invoice(bridge_of):
    may = bridge_of([], [paid("plain", "05-02", None, "100")])
    assert (may.invoiced, may.net_cash, may.cash_rounding) == (None, 100, None)


def test_the_small_company_leaves_nothing_unexplained_and_its_totals_are_those_of_their_tables(small_lake):
    lake = views(small_lake, jobs())
    assert lake.sql("SELECT sum(unexplained_rows) FROM gold_revenue_bridge").fetchall() == [(0,)]
    totals = {
        "expected_billings": "SELECT billing_month AS month, sum(amount_reporting) FROM silver_billing_schedule",
        "invoiced": "SELECT invoice_month AS month, sum(if(invoice_type = 'invoice', subtotal_reporting,"
        " -subtotal_reporting)) FROM silver_invoices WHERE status <> 'void'",
        "net_cash": "SELECT payment_month AS month, sum(CASE status WHEN 'succeeded' THEN amount_reporting"
        " WHEN 'refunded' THEN -amount_reporting END) FROM silver_payments",
        "revenue": "SELECT month, sum(revenue) FROM silver_customer_months",
        "closing_mrr": "SELECT month, sum(closing_mrr) FROM silver_customer_months",
    }
    bridge = lake.sql("FROM gold_revenue_bridge").to_arrow_table().to_pylist()
    for name, query in totals.items():
        known = {month: float(amount or 0) for month, amount in lake.sql(f"{query} GROUP BY ALL").fetchall()}
        bridged_to = {row["month"]: float(row[name]) for row in bridge if row["month"] in known}
        assert known == pytest.approx(bridged_to, abs=0.006), name


def test_a_rounded_proration_at_another_days_rate_differs_by_the_rate_and_not_by_rounding(rows):
    # 32.258065 euros: at 1.20 when the terms begin and 1.00 when they are billed, or twice at 1.20.
    at_first_rate = {"currency": "EUR", "amount_reporting": Decimal("38.709678"), "line_type": "proration"}
    terms = [line(name, "04-28", "05-28", "32.258065", **at_first_rate) for name in ("other_rate", "same_rate")]
    bills = [
        bill("other_rate", "04-30", "32.26", start="04-28"),
        bill("same_rate", "04-28", "32.26", subtotal_reporting=Decimal("38.712"), total_reporting=Decimal("38.712")),
    ]
    found = terms_to_invoices(rows(billing_schedule, *terms), rows(invoices, *bills)).collect()
    assert {(row.customer_id, row.reason): float(row.to_amount - row.from_amount) for row in found} == pytest.approx(
        {("other_rate", "fx"): 32.26 - 38.709678, ("same_rate", "rounding"): 38.712 - 38.709678}
    )
