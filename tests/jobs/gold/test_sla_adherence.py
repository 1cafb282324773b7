"""gold.sla_adherence: what is measured, what is pending, and totals that hold every ticket once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from jobs.gold.sla_adherence import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.customers import table as customers
from jobs.silver.tickets import table as tickets
from tests.billing import audited

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
ANSWERED = datetime(2026, 3, 9, tzinfo=UTC)


def ticket(ticket_id, *, breached=(False, False), hours=(None, None), priority="high", **more):
    response_hours, resolution_hours = hours
    missed = None if breached is None else any(breached)
    return {
        "ticket_id": ticket_id,
        "customer_id": "ann",
        "opened_month": MARCH,
        "priority": priority,
        "is_resolved": resolution_hours is not None,
        "first_responded_at": None if response_hours is None else ANSWERED,
        "first_response_hours": response_hours,
        "resolution_hours": resolution_hours,
        "is_first_response_breached": breached and breached[0],
        "is_resolution_breached": breached and breached[1],
        "is_breached": missed,
    } | more


@pytest.fixture(scope="module")
def adherence(rows):
    opened = rows(
        tickets,
        ticket("kept", hours=(1.0, 10.0)),
        ticket("resolved late", hours=(3.0, 30.0), breached=(False, True)),
        ticket("late twice", hours=(9.0, 40.0), breached=(True, True)),
        ticket("resolved unanswered", hours=(None, 2.0)),
        ticket("still within its time"),
        ticket("answered, past its target", hours=(2.0, None), breached=(False, True)),
        ticket("unanswered for too long", breached=(True, False)),
        ticket("without a target", hours=(5.0, 50.0), breached=None, priority=None),
        ticket("of another size", hours=(4.0, 4.0), priority="low", customer_id="bob"),
        ticket("of a stranger", hours=(4.0, 4.0), priority="low", customer_id="nobody"),
        ticket("of a month later", hours=(7.0, 70.0), opened_month=APRIL),
    )
    months = rows(customer_months, {"customer_id": "ann", "month": MARCH, "segment": "SMB"})
    found = transform(
        tickets=opened,
        customers=rows(
            customers,
            {"customer_id": "ann", "segment": "Mid-Market"},
            {"customer_id": "bob", "segment": "Enterprise"},
        ),
        customer_months=months,
        min_observations=6,
    )
    return {(row.month, row.priority, row.segment): row for row in audited(found, table)}


def test_a_group_counts_what_was_kept_missed_and_is_not_decided(adherence):
    high = adherence[MARCH, "high", "SMB"]
    assert (high.tickets, high.resolved_tickets, high.pending_tickets) == (7, 4, 1)
    # In time: kept, resolved late, resolved unanswered, answered. Too late: late twice, unanswered for too long.
    assert (high.measured_responses, high.responses_within_target, high.response_breaches) == (6, 4, 2)
    # In time: kept, resolved unanswered. Too late: resolved late, late twice, past its target; two still have time.
    assert (high.measured_resolutions, high.resolutions_within_target, high.resolution_breaches) == (5, 2, 3)
    # Unanswered for too long is certain to be a breach, though its resolution is not.
    assert (high.measured_tickets, high.tickets_within_targets, high.breaches) == (6, 2, 4)


def test_rates_are_of_what_is_measured_with_wilsons_interval(adherence):
    high = adherence[MARCH, "high", "SMB"]
    assert high.response_adherence_rate == pytest.approx(4 / 6)
    assert high.resolution_adherence_rate == pytest.approx(2 / 5)
    assert high.sla_adherence_rate == pytest.approx(2 / 6)
    # Centre (2 + 1.9207) / 9.8415 = 0.39839, half width 1.96 × sqrt(1/3 × 2/3 × 6 + 0.96036) / 9.8415 = 0.30164.
    assert high.sla_adherence_rate_low == pytest.approx(0.0968, abs=1e-4)
    assert high.sla_adherence_rate_high == pytest.approx(0.7000, abs=1e-4)
    assert (high.is_small, adherence[MARCH, "low", "all"].is_small) == (False, True)


def test_hours_are_those_of_what_is_done_and_percentiles_are_exact(adherence):
    high = adherence[MARCH, "high", "SMB"]
    # Answers after 1, 2, 3 and 9 hours: the middle of 2 and 3; 0.9 × 3 = 2.7 steps up: 3 + 0.7 × (9 − 3).
    assert (high.median_first_response_hours, high.p90_first_response_hours) == pytest.approx((2.5, 7.2))
    # Resolved after 2, 10, 30 and 40 hours.
    assert (high.median_resolution_hours, high.p90_resolution_hours) == pytest.approx((20, 37))


def test_a_ticket_without_a_target_is_a_ticket_and_in_no_rate(adherence):
    unknown = adherence[MARCH, "unknown", "SMB"]
    assert (unknown.tickets, unknown.measured_tickets, unknown.pending_tickets) == (1, 0, 0)
    assert (unknown.sla_adherence_rate, unknown.sla_adherence_rate_low, unknown.sla_adherence_rate_high) == (None,) * 3
    assert unknown.median_resolution_hours == 50


def test_the_segment_is_that_of_the_month_else_that_of_now_else_unknown(adherence):
    assert adherence[APRIL, "high", "Mid-Market"].tickets == 1
    assert (APRIL, "high", "SMB") not in adherence
    assert adherence[MARCH, "low", "Enterprise"].tickets == 1
    assert adherence[MARCH, "low", "unknown"].tickets == 1


def test_every_ticket_is_once_in_each_kind_of_total(adherence):
    assert adherence[MARCH, "all", "all"].tickets == 10
    assert adherence[MARCH, "high", "all"].tickets == 7
    assert adherence[MARCH, "all", "SMB"].tickets == 8
    # Of 1, 2, 3, 4, 4, 5 and 9 hours.
    assert adherence[MARCH, "all", "all"].median_first_response_hours == 4
    assert len(adherence) == (4 + 3 + 3 + 1) + 4
