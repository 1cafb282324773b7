"""silver.customer_moments: at which moments a customer is looked at, and that only sums and counts are told."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.silver.customer_moments import transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.customers import table as customers
from jobs.silver.nps_responses import table as nps_responses
from jobs.silver.payments import table as payments
from jobs.silver.subscriptions import table as subscriptions
from jobs.silver.tickets import table as tickets
from jobs.silver.usage_daily import table as usage_daily
from jobs.silver.user_days import table as user_days

MAY_END, AS_OF = date(2026, 5, 31), date(2026, 6, 30)


def closed(customer_id, month, closing_mrr):
    month = date(2026, month, 1)
    mrr = Decimal(closing_mrr)
    return {"customer_id": customer_id, "month": month, "closing_mrr": mrr, "is_active": mrr > 0}


def ticket(ticket_id, csat, sentiment):
    at = datetime(2026, 6, 30, 9)
    return {
        "ticket_id": ticket_id,
        "customer_id": "ann",
        "opened_at": at,
        "opened_date": AS_OF,
        "resolved_at": at,
        "is_escalated": False,
        "csat": csat,
        "sentiment": sentiment,
    }


@pytest.fixture(scope="module")
def moments(rows, settings):
    ever_paid = {"cohort_month": date(2026, 5, 1), "first_paid_date": date(2026, 5, 1)}
    found = transform(
        customers=rows(
            customers,
            {"customer_id": "ann"} | ever_paid,
            {"customer_id": "gone"} | ever_paid,
            {"customer_id": "prospect"},
        ),
        customer_months=rows(
            customer_months,
            closed("ann", 5, 10),
            closed("ann", 6, 10),
            closed("ann", 7, 10),
            closed("gone", 5, 10),
            closed("gone", 6, 0),
        ),
        subscriptions=rows(subscriptions),
        payments=rows(payments),
        tickets=rows(tickets, ticket("t1", 2, 1.0), ticket("t2", 5, -0.5), ticket("t3", None, None)),
        usage_daily=rows(usage_daily),
        user_days=rows(user_days),
        nps_responses=rows(
            nps_responses,
            {"response_id": "n1", "customer_id": "ann", "responded_at": datetime(2026, 6, 1), "score": 9},
            {"response_id": "n2", "customer_id": "ann", "responded_at": datetime(2026, 6, 2), "score": 4},
        ),
        as_of=AS_OF,
        sentiment=settings.sentiment,
    ).collect()
    assert len(found) == 4
    return {(row.customer_id, row.as_of_date): row for row in found}


def test_a_customer_is_looked_at_when_a_complete_month_closed_with_mrr_and_now_if_it_ever_had_any(moments):
    assert moments.keys() == {("ann", MAY_END), ("ann", AS_OF), ("gone", MAY_END), ("gone", AS_OF)}


def test_answers_are_added_up_beside_how_many_there_are(moments):
    ann, before = moments["ann", AS_OF], moments["ann", MAY_END]
    assert (ann.tickets_90d, ann.csat_total_90d, ann.csat_answers_90d) == (3, 7, 2)
    assert (ann.nps_total_180d, ann.nps_answers_180d) == (13, 2)
    # (1 + 1) ÷ 2 and (−0.5 + 1) ÷ 2, both of today and so of full weight.
    assert (ann.weighted_sentiment, ann.sentiment_weight) == (Decimal("1.25"), 2)
    assert (before.tickets_90d, before.csat_total_90d, before.csat_answers_90d) == (0, None, 0)
    assert (before.sentiment_weight, before.nps_total_180d, before.nps_answers_180d) == (None, None, 0)
