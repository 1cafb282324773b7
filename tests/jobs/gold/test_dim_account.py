"""gold.dim_account: the largest customer speaks for the account, sums and means are over all of its customers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pyarrow.compute as pc
import pytest

from jobs.gold.customer_usage import table as customer_usage
from jobs.gold.dim_account import table, transform
from jobs.gold.unit_economics import table as unit_economics
from jobs.silver.accounts import table as crm_accounts
from jobs.silver.customers import table as customers
from jobs.silver.nps_responses import table as nps_responses
from jobs.silver.tickets import table as tickets
from lakehouse import delta
from tests.billing import AS_OF, audited, day


def customer(customer_id, account_id, mrr, stage, *, first_paid=None, churn_date=None):
    return {
        "customer_id": customer_id,
        "account_id": account_id,
        "company_name": f"{customer_id} Ltd",
        "lifecycle_stage": stage,
        "plan_name": "Business" if mrr != "0" else None,
        "seats": 10 if mrr != "0" else 0,
        "mrr": Decimal(mrr),
        "cohort_month": first_paid and day(first_paid).replace(day=1),
        "first_paid_date": first_paid and day(first_paid),
        "churn_date": churn_date and day(churn_date),
        "is_churned": churn_date is not None,
    }


def economics(customer_id, cac, ltv, health_score=None, usage_score=None):
    return {
        "customer_id": customer_id,
        "cac": cac and Decimal(cac),
        "ltv": Decimal(ltv),
        "health_score": health_score,
        "usage_score": usage_score,
    }


def ticket(ticket_id, customer_id, opened, *, is_breached, csat=None):
    return {
        "ticket_id": ticket_id,
        "customer_id": customer_id,
        "opened_date": day(opened),
        "is_breached": is_breached,
        "csat": csat,
    }


def answer(response_id, customer_id, responded, score):
    at = datetime(2026, *responded, 12, tzinfo=UTC)
    return {"response_id": response_id, "customer_id": customer_id, "responded_at": at, "score": score}


@pytest.fixture(scope="module")
def frames(rows):
    return {
        "customers": rows(
            customers,
            customer("small", "group", "100.00", "past_due", first_paid="01-15"),
            customer("large", "group", "300.00", "active", first_paid="03-10"),
            customer("lost", "group", "0", "churned", first_paid="02-01", churn_date="04-01"),
            customer("gone", "former", "0", "churned", first_paid="01-05", churn_date="05-01"),
            customer("gone first", "former", "0", "churned", first_paid="01-04", churn_date="02-01"),
            customer("back as a prospect", "former", "0", "prospect"),
            customer("trying", "new", "0", "trial"),
        ),
        "unit_economics": rows(
            unit_economics,
            economics("small", "200.00", "1000.00", 20.0, 0.5),
            economics("large", "300.00", "5000.00", 80.0),
            economics("lost", "500.00", "400.00"),
            economics("gone", None, "50.00"),
            economics("gone first", "10.00", "70.00"),
        ),
        "tickets": rows(
            tickets,
            ticket("t1", "small", "06-30", is_breached=True, csat=2),
            ticket("t2", "large", "04-02", is_breached=False, csat=5),
            ticket("t3", "large", "05-01", is_breached=None),
            ticket("t4", "lost", "05-02", is_breached=False),
            ticket("too old", "large", "04-01", is_breached=True, csat=1),
        ),
        "nps_responses": rows(
            nps_responses,
            answer("r1", "small", (1, 2), 4),
            answer("r2", "large", (6, 30), 9),
            answer("too old", "large", (1, 1), 0),
        ),
        "crm_accounts": rows(
            crm_accounts,
            {"account_id": "group", "account_name": "Group Ltd", "parent_account_id": "holding"},
            {"account_id": "holding", "account_name": "Holding Ltd"},
            {"account_id": "former", "account_name": "Former Ltd", "parent_account_id": "nobody knows"},
        ),
    }


USED = (
    {"customer_id": "small", "last_used_date": date(2026, 6, 29), "events_30d": 7},
    {"customer_id": "large", "last_used_date": date(2026, 6, 2), "events_30d": 5},
)


@pytest.fixture(scope="module")
def accounts(rows, frames, settings):
    configured = {"as_of": AS_OF, "health": settings.health, "reporting_currency": "USD"}
    used = transform(**frames, customer_usage=rows(customer_usage, *USED), **configured)
    unused = transform(**frames, customer_usage=rows(customer_usage), **configured)
    return {row.account_id: row for row in audited(used, table)}, {row.account_id: row for row in unused.collect()}


def test_the_largest_customer_speaks_for_the_account(accounts):
    group, former, new = (accounts[0][name] for name in ("group", "former", "new"))
    assert (group.primary_customer_id, group.account_name, group.lifecycle_stage) == ("large", "large Ltd", "active")
    # Nobody pays any more: of those who once did, who came first.
    assert (former.primary_customer_id, former.lifecycle_stage) == ("gone first", "churned")
    assert (new.primary_customer_id, new.lifecycle_stage, new.is_churned) == ("trying", "trial", False)


def test_the_account_that_owns_an_account_is_the_one_that_the_crm_names(accounts):
    told = {name: (row.parent_account_id, row.parent_account_name) for name, row in accounts[0].items()}
    assert told == {
        "group": ("holding", "Holding Ltd"),
        "former": ("nobody knows", None),
        "new": (None, None),
    }


def test_amounts_and_counts_add_up_over_the_customers(accounts):
    group = accounts[0]["group"]
    assert (group.customers, group.active_customers, group.seats) == (3, 2, 20)
    assert (group.mrr, group.arr) == (Decimal("400.00"), Decimal("4800.00"))
    assert (group.cac, group.ltv, group.ltv_cac_ratio) == (Decimal("1000.00"), Decimal("6400.00"), 6.4)
    assert (group.events_30d, group.last_used_date) == (12, date(2026, 6, 29))


def test_a_sum_with_an_unknown_part_is_unknown(accounts):
    former, new = accounts[0]["former"], accounts[0]["new"]
    assert (former.cac, former.ltv, former.ltv_cac_ratio) == (None, Decimal("120.00"), None)
    assert (new.cac, new.ltv) == (None, None)


def test_an_account_has_churned_when_its_last_customer_has(accounts):
    group, former = accounts[0]["group"], accounts[0]["former"]
    assert (group.is_churned, group.churn_date, group.first_paid_date) == (False, None, date(2026, 1, 15))
    assert (former.is_churned, former.churn_date, former.cohort_month) == (True, date(2026, 5, 1), date(2026, 1, 1))


def test_rates_and_means_are_over_the_tickets_answers_and_mrr_of_all_customers(accounts):
    group = accounts[0]["group"]
    # 2 April is the 90th day back; one ticket of the four has no target.
    assert (group.tickets_90d, group.sla_breach_rate, group.csat) == (4, pytest.approx(1 / 3), 3.5)
    # 2 January is the 180th day back.
    assert group.nps_score == 6.5
    # (20 × 100 + 80 × 300) ÷ 400; only one customer has a usage score.
    assert (group.health_score, group.health_band, group.usage_score) == (65.0, "watch", 0.5)


def test_no_event_is_no_use_unless_nobody_has_any(accounts):
    used, unused = accounts
    assert (used["new"].events_30d, unused["new"].events_30d) == (0, None)
    assert (used["former"].tickets_90d, used["former"].sla_breach_rate) == (0, None)


def test_the_accounts_of_a_company_add_up_to_its_customers(small_lake):
    def totals(name):
        profiles = delta.arrow(small_lake, name, small_lake.published().versions[name])
        query = "SELECT count(DISTINCT account_id), sum(mrr), sum(seats), count_if(is_churned) FROM profiles"
        return profiles, duckdb.from_arrow(profiles).query("profiles", query).fetchall()

    (accounts, of_accounts), (customers, of_customers) = totals(table.name), totals("silver.customers")
    assert of_accounts == of_customers
    assert pc.sum(accounts["customers"]).as_py() == customers.num_rows > 0
