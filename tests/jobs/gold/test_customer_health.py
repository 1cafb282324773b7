"""gold.customer_health: each month by what was known then, and the same score as now's in the last one."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.gold.customer_health import transform
from jobs.silver import customer_moments
from jobs.silver.customer_months import table as customer_months
from jobs.silver.customers import table as customers
from jobs.silver.nps_responses import table as nps_responses
from jobs.silver.payments import table as payments
from jobs.silver.subscriptions import table as subscriptions
from jobs.silver.tickets import table as tickets
from jobs.silver.usage_daily import table as usage_daily
from jobs.silver.user_days import table as user_days
from lakehouse import delta

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def closed(month, closing_mrr, *, customer_id="ann"):
    return {
        "customer_id": customer_id,
        "month": month,
        "plan_id": "starter",
        "closing_mrr": Decimal(closing_mrr),
        "is_active": Decimal(closing_mrr) > 0,
        "seats": 2,
    }


def ticket(ticket_id, opened_at, **columns):
    return {
        "ticket_id": ticket_id,
        "customer_id": "ann",
        "opened_at": opened_at,
        "opened_date": opened_at.date(),
        "first_response_target_hours": 8.0,
        "resolution_target_hours": 72.0,
        "is_escalated": False,
        "sentiment": 0.0,
    } | columns


def terms(item_id, change_type, start_date, end_date, **columns):
    return {
        "subscription_item_id": item_id,
        "subscription_id": "s1",
        "customer_id": "ann",
        "item_type": "plan",
        "change_type": change_type,
        "start_date": start_date,
        "end_date": end_date,
        "term_months": 12,
        "status": "active",
        "bears_revenue": True,
    } | columns


def used(day, events):
    return {
        "customer_id": "ann",
        "usage_date": day,
        "events": events,
        "active_events": events,
        "category_mask": 1,
        "logged_in_users": 1,
    }


def acted(day):
    return {"customer_id": "ann", "user_id": "u1", "activity_date": day, "is_active": True}


def paid(payment_id, attempted_at, status):
    return {"payment_id": payment_id, "customer_id": "ann", "attempted_at": attempted_at, "status": status}


def answered(response_id, responded_at, score):
    return {"response_id": response_id, "customer_id": "ann", "responded_at": responded_at, "score": score}


@pytest.fixture(scope="module")
def history(rows, settings):
    """Ann from May to July, of which July is not complete, told with hindsight and as it was known on the last of May."""

    def health(**later):
        frames = {
            "customers": rows(customers, {"customer_id": "ann", "first_paid_date": date(2025, 6, 21)}),
            "customer_months": rows(customer_months, closed(MAY, 100), *later["months"]),
            "subscriptions": rows(subscriptions, *later["terms"]),
            "payments": rows(payments, paid("p1", datetime(2026, 5, 21), "succeeded"), *later["payments"]),
            "tickets": rows(tickets, *later["tickets"]),
            "usage_daily": rows(usage_daily, used(date(2026, 5, 10), 10), *later["used"]),
            "user_days": rows(user_days, acted(date(2026, 5, 10)), *map(acted, later["acted"])),
            "nps_responses": rows(nps_responses, answered("n1", datetime(2026, 5, 2), 9), *later["answers"]),
        }
        moments = customer_moments.transform(**frames, as_of=later["as_of"], sentiment=settings.sentiment)
        return transform(
            customers=frames["customers"],
            customer_months=frames["customer_months"],
            customer_moments=moments,
            as_of=later["as_of"],
            health=settings.health,
        )

    opened = datetime(2026, 5, 31, 20)
    resolved = datetime(2026, 6, 2, 12)
    happened = health(
        as_of=date(2026, 6, 30),
        months=[closed(JUNE, 80), closed(date(2026, 7, 1), 80)],
        terms=[
            terms("i1", "initial", date(2025, 6, 21), date(2026, 6, 21)),
            terms("i2", "renewal", date(2026, 6, 21), date(2027, 6, 21), canceled_at=datetime(2026, 6, 25)),
        ],
        payments=[paid("p2", datetime(2026, 6, 21), "failed"), paid("p3", datetime(2026, 7, 1), "failed")],
        tickets=[
            ticket("t1", opened, first_responded_at=resolved, resolved_at=resolved, is_escalated=True, csat=1),
            ticket("t2", datetime(2026, 6, 30, 9), is_escalated=True),
        ],
        used=[used(date(2026, 6, 20), 5), used(date(2026, 7, 1), 50)],
        acted=[date(2026, 6, 20), date(2026, 7, 1)],
        answers=[answered("n2", datetime(2026, 6, 3), 0), answered("n3", datetime(2026, 7, 1), 0)],
    )
    known_in_may = health(
        as_of=date(2026, 5, 31),
        months=[],
        terms=[terms("i1", "initial", date(2025, 6, 21), None)],
        payments=[],
        tickets=[ticket("t1", opened)],
        used=[],
        acted=[],
        answers=[],
    )
    told = happened.collect()
    return {row.month: row for row in told}, known_in_may.collect()


def test_a_month_is_judged_by_what_was_known_at_its_end(history):
    with_hindsight, then = history
    assert then == [with_hindsight[MAY]]


def test_only_complete_months_with_mrr_are_judged(history):
    assert sorted(history[0]) == [MAY, JUNE]


def test_what_came_later_counts_from_its_month_on(history):
    may, june = history[0][MAY], history[0][JUNE]
    # Four hours after opening the ticket still had four to be answered; it was answered after forty.
    assert (may.sla_breach_rate, june.sla_breach_rate) == (0, 1)
    assert (may.escalation_rate, may.csat, june.escalation_rate, june.csat) == (0, None, 1, 1)
    assert (may.payment_failure_rate, june.payment_failure_rate) == (0, 0.5)
    # The term ends on 21 June; the next begins with it.
    assert (may.committed_days, june.committed_days) == (21, 356)
    assert (may.is_in_notice, june.is_in_notice) == (False, True)
    assert (may.usage_trend, june.usage_trend) == (None, 0.5)
    assert (may.days_since_last_event, june.days_since_last_event) == (21, 10)
    assert (may.active_user_share, june.active_user_share, may.nps_score, june.nps_score) == (0.5, 0.5, 9, 4.5)
    assert (may.tenure_months, june.tenure_months) == (11, 12)


def test_a_month_knows_the_score_before_it_and_what_moved_it(history):
    may, june = history[0][MAY], history[0][JUNE]
    assert (may.previous_health_score, june.previous_health_score) == (None, may.health_score)
    assert june.health_change == pytest.approx(june.health_score - may.health_score)
    assert may.health_missing == june.health_missing == ""


def test_the_last_month_has_the_score_of_unit_economics(small_lake):
    manifest = small_lake.published()

    def scores(name):
        frame = delta.arrow(small_lake, name, manifest.versions[name]).to_pandas()
        if name == "gold.customer_health":
            frame = frame[frame["as_of_date"] == manifest.as_of]
        return frame.dropna(subset="health_score").set_index("customer_id")["health_score"].sort_index()

    now, last = scores("gold.unit_economics"), scores("gold.customer_health")
    assert len(now) > 20
    assert now.equals(last)
