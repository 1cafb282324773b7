"""gold.customer_signals: what is counted in which window, and what is unknown."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.gold.customer_signals import transform
from jobs.silver import customer_moments
from jobs.silver.customer_months import table as customer_months
from jobs.silver.customers import table as customers
from jobs.silver.nps_responses import table as nps_responses
from jobs.silver.payments import table as payments
from jobs.silver.subscriptions import table as subscriptions
from jobs.silver.tickets import table as tickets
from jobs.silver.usage_daily import table as usage_daily
from jobs.silver.user_days import table as user_days

AS_OF = date(2026, 6, 30)
FIRST_OF_30, LAST_BEFORE_30 = date(2026, 6, 1), date(2026, 5, 31)


def customer(customer_id, *, is_churned=False):
    return {
        "customer_id": customer_id,
        "cohort_month": date(2026, 1, 1),
        "first_paid_date": date(2026, 1, 21),
        "plan_id": "starter",
        "tenure_months": 5,
        "seats": 4,
        "mrr": Decimal(0 if is_churned else 90),
        "is_churned": is_churned,
    }


def used(day, events, active_events, category_mask, *, logged_in_users=0):
    return {
        "customer_id": "ann",
        "usage_date": day,
        "events": events,
        "logged_in_users": logged_in_users,
        "active_events": active_events,
        "category_mask": category_mask,
    }


def acted(user_id, day, *, is_active=True):
    return {"customer_id": "ann", "user_id": user_id, "activity_date": day, "is_active": is_active}


def ticket(ticket_id, day, *, is_escalated, resolution_target_hours, csat=None, sentiment=None):
    """Opened at nine, answered at ten and resolved at noon."""
    at = datetime(day.year, day.month, day.day, 9)
    return {
        "ticket_id": ticket_id,
        "customer_id": "ann",
        "opened_at": at,
        "opened_date": day,
        "first_responded_at": at.replace(hour=10),
        "resolved_at": at.replace(hour=12),
        "first_response_target_hours": resolution_target_hours,
        "resolution_target_hours": resolution_target_hours,
        "is_escalated": is_escalated,
        "csat": csat,
        "sentiment": sentiment,
    }


def attempted(payment_id, status, day):
    moment = datetime(2026, *day, 12, 0)
    return {"payment_id": payment_id, "customer_id": "ann", "attempted_at": moment, "status": status}


def terms(item_id, change_type, start_date, end_date, *, subscription_id="s1", term_months=6, **columns):
    return {
        "subscription_item_id": item_id,
        "subscription_id": subscription_id,
        "customer_id": "ann",
        "item_type": "plan",
        "change_type": change_type,
        "start_date": start_date,
        "end_date": end_date,
        "term_months": term_months,
        "status": "active",
        "bears_revenue": True,
    } | columns


def closed(customer_id, month, closing_mrr, contraction_mrr):
    return {
        "customer_id": customer_id,
        "month": date(2026, month, 1),
        "closing_mrr": Decimal(closing_mrr),
        "contraction_mrr": Decimal(contraction_mrr),
    }


def computed(settings, **frames):
    return transform(
        customers=frames["customers"],
        customer_moments=customer_moments.transform(**frames, as_of=AS_OF, sentiment=settings.sentiment),
        as_of=AS_OF,
        usage_score=settings.usage_score,
        health=settings.health,
    ).collect()


@pytest.fixture(scope="module")
def signals(rows, settings):
    result = computed(
        settings,
        customers=rows(customers, customer("ann"), customer("silent"), customer("gone", is_churned=True)),
        customer_months=rows(
            customer_months,
            closed("ann", 3, "120.00", contraction_mrr="7.00"),
            closed("ann", 4, "100.00", contraction_mrr="20.00"),
            closed("ann", 6, "90.00", contraction_mrr="10.00"),
        ),
        subscriptions=rows(
            subscriptions,
            terms("i1", "initial", date(2026, 1, 21), date(2026, 5, 2)),
            terms("i2", "seat_expansion", date(2026, 5, 2), None),
        ),
        payments=rows(
            payments,
            attempted("p1", "failed", (6, 1)),
            attempted("p2", "succeeded", (6, 3)),
            attempted("p3", "succeeded", (6, 4)),
            attempted("p4", "refunded", (6, 4)),
            attempted("p5", "failed", (4, 1)),
        ),
        tickets=rows(
            tickets,
            ticket("t1", AS_OF, is_escalated=False, resolution_target_hours=2.0, csat=2, sentiment=1.0),
            ticket("t2", date(2026, 5, 1), is_escalated=True, resolution_target_hours=4.0, csat=5, sentiment=-1.0),
            ticket("t3", date(2026, 5, 1), is_escalated=False, resolution_target_hours=None),
            ticket("t4", date(2026, 4, 1), is_escalated=True, resolution_target_hours=2.0, csat=1),
        ),
        usage_daily=rows(
            usage_daily,
            used(date(2026, 6, 28), 11, 0, 0),
            used(FIRST_OF_30, 4, 4, 0b00011, logged_in_users=1),
            used(LAST_BEFORE_30, 15, 9, 0b11111),
            used(date(2026, 5, 2), 5, 0, 0),
            used(date(2026, 5, 1), 99, 0, 0),
        ),
        user_days=rows(
            user_days,
            acted("u1", FIRST_OF_30),
            acted("u1", date(2026, 6, 2)),
            acted("u2", date(2026, 6, 2), is_active=False),
            acted("u3", LAST_BEFORE_30),
        ),
        nps_responses=rows(
            nps_responses,
            {"response_id": "n1", "customer_id": "ann", "responded_at": datetime(2026, 6, 1), "score": 9},
            {"response_id": "n2", "customer_id": "ann", "responded_at": datetime(2026, 1, 2), "score": 6},
            {"response_id": "n3", "customer_id": "ann", "responded_at": datetime(2026, 1, 1), "score": 0},
        ),
    )
    return {row.customer_id: row for row in result}


def test_use_is_compared_with_the_month_before_and_counted_back_from_the_as_of_day(signals):
    ann = signals["ann"]
    # The 60 days begin on 2 May.
    assert (ann.events_30d, ann.events_prior_30d, ann.usage_trend) == (15, 20, 0.75)
    assert (ann.days_since_last_event, ann.days_since_last_login) == (2, 29)


def test_a_day_or_a_user_with_logins_only_or_before_the_thirty_days_is_not_active(signals):
    ann = signals["ann"]
    assert (ann.active_days_30d, ann.active_users_30d, ann.active_user_share) == (1, 1, 0.25)
    assert (ann.categories_30d, ann.feature_breadth) == (2, 0.4)


def test_rates_of_support_and_payments_leave_out_what_cannot_fail(signals):
    ann = signals["ann"]
    # Three tickets in 90 days, of which two have a target; the ticket of 1 April is the 91st day.
    assert (ann.tickets_90d, ann.sla_breaches_90d, ann.sla_breach_rate, ann.csat) == (3, 1, 0.5, 3.5)
    assert ann.escalation_rate == pytest.approx(1 / 3)
    assert ann.payment_failure_rate == pytest.approx(1 / 3)
    assert (ann.failed_payments_90d, ann.is_last_payment_failed) == (1, False)
    # The sentiment of 60 days ago weighs half: 1 ÷ 1.5.
    assert ann.support_sentiment_score == pytest.approx(2 / 3)


def test_money_and_words_reach_back_as_far_as_they_say(signals):
    ann = signals["ann"]
    assert (ann.mrr_before, ann.mrr_trend, ann.nps_score) == (120, 0.75, 7.5)
    # Of April to June.
    assert ann.contraction_mrr_3m == 30


def test_a_term_is_renewed_from_its_own_begin_not_from_a_change_of_seats(signals):
    assert (signals["ann"].renewal_date, signals["ann"].days_to_renewal) == (date(2026, 7, 21), 21)


def test_use_is_ranked_among_payers_and_silence_is_no_use(signals):
    silent = signals["silent"]
    assert (silent.events_30d, silent.days_since_last_event, silent.usage_trend) == (0, 160, None)
    assert (silent.days_since_last_login, silent.tickets_90d, silent.escalations_90d) == (160, 0, 0)
    # Two peers: 3/4 and 1/4 of recency, frequency and breadth; ann's trend is alone with 1/2.
    assert signals["ann"].usage_score == pytest.approx((3 * 0.75 + 0.5) / 4)
    assert silent.usage_score == 0.25


def test_a_churned_customer_has_neither_usage_nor_health_score(signals):
    gone = signals["gone"]
    assert (gone.usage_score, gone.health_score, gone.health_band, gone.health_missing) == (None, None, None, None)


def test_what_a_customer_never_did_is_missing_from_health_not_zero(signals):
    silent = signals["silent"]
    assert (silent.health_support, silent.health_revenue) == (None, None)
    assert silent.health_missing == "support,revenue"
    # No use of seats (0), trend unknown; breadth 0 and recency beyond 30 days 0.
    assert (silent.health_usage, silent.health_engagement, silent.health_band) == (0, 0, "critical")


def test_without_any_events_use_is_unknown(rows, settings):
    alone = computed(
        settings,
        customers=rows(customers, customer("ann")),
        customer_months=rows(customer_months),
        subscriptions=rows(subscriptions),
        payments=rows(payments),
        tickets=rows(tickets),
        usage_daily=rows(usage_daily),
        user_days=rows(user_days),
        nps_responses=rows(nps_responses),
    )
    assert [(row.events_30d, row.days_since_last_event, row.usage_score, row.health_score) for row in alone] == [
        (None, None, None, None)
    ]
