"""The funnel, its speed and its costs: who counts where, which cohorts may speak, and what each step costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.marketing_spend import table as received_spend
from jobs.gold import funnel, funnel_velocity
from jobs.silver.leads import table as leads_table
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day
from tests.crm import at


def known(lead_id, created, stage="lead", **others):
    """A clean lead that reached the stage; the moments that it needs are given by those who look at them."""
    usual = {
        "lead_id": lead_id,
        "first_lead_id": lead_id,
        "is_reentry": False,
        "lead_source": "content",
        "campaign_id": "K1",
        "segment": "SMB",
        "created_date": date.fromisoformat(created),
        "furthest_stage": stage,
        "is_self_service": False,
    }
    return usual | others


def spent(spend_id, month, amount, channel="content", **others):
    usual = {"spend_id": spend_id, "month": month, "amount": Decimal(amount), "channel": channel, "currency": "USD"}
    return usual | others


MARCH, APRIL = date(2024, 3, 1), date(2024, 4, 1)
LEADS = (
    known("nothing", "2024-03-01"),
    known("qualified", "2024-03-04", "mql", campaign_id=None),
    known("bought alone", "2024-03-04", "mql", is_self_service=True, lead_source="direct", campaign_id=None),
    known("won", "2024-03-31", "won", segment=None),
    # Was given up, came again in April through an event, and was won then: one person, who came in March by content.
    known("first", "2024-03-31", "mql"),
    known("again", "2024-04-02", "won", first_lead_id="first", is_reentry=True, lead_source="events"),
    known("lost", "2024-04-01", "opportunity"),
    # Of the current year: old enough for marketing and sales to qualify, opportunities and wins need longer.
    known("young", "2026-05-10", "won"),
    known("newest", "2026-06-29", "mql"),
)


SPENT = (
    spent("1", MARCH, "600", campaign_id="K1"),
    spent("2", MARCH, "300", "paid_search", campaign_id="K2"),
    spent("3", date(2026, 5, 1), "100", campaign_id="K1", currency="EUR"),
    spent("4", date(2026, 7, 1), "100", campaign_id="K1"),
    spent("5", MARCH, "-5", campaign_id="K1"),
)


@pytest.fixture(scope="module")
def cohorts_with(rows, settings):
    def found(*spending):
        frame = funnel.transform(
            leads=rows(leads_table, *LEADS),
            marketing_spend=rows(received_spend, *spending),
            exchange_rates=rows(received_rates, *EXCHANGE_RATES),
            as_of=AS_OF,
            reporting_currency="USD",
            min_observations=4,
            funnel=settings.funnel,
        )
        return {
            (row.cohort_grain[0], str(row.cohort_start), row.dimension, row.dimension_value): row
            for row in audited(frame, funnel.table)
        }

    return found


@pytest.fixture(scope="module")
def cohorts(cohorts_with):
    return cohorts_with(*SPENT)


def stages(row):
    return [row[name] for name in funnel.COUNTS]


def test_a_person_counts_once_with_the_furthest_stage_of_all_leads(cohorts):
    march, april = cohorts["m", "2024-03-01", "all", "all"], cohorts["m", "2024-04-01", "all", "all"]
    # Five people; all but one came to an MQL; two won, one of them by the lead that came in April.
    assert stages(march) == [5, 4, 2, 2, 2]
    assert (march.reentries, march.self_service) == (0, 1)
    assert stages(april) == [1, 1, 1, 1, 0]
    assert april.reentries == 1
    # The re-entry is listed where it came, and counts for the channel of the first lead.
    assert stages(cohorts["m", "2024-04-01", "lead_source", "events"]) == [0, 0, 0, 0, 0]
    assert cohorts["m", "2024-04-01", "lead_source", "events"].reentries == 1
    assert stages(cohorts["m", "2024-03-01", "lead_source", "content"]) == [4, 3, 2, 2, 2]


def test_a_win_implies_the_stages_that_were_skipped(cohorts):
    assert stages(cohorts["m", "2024-03-01", "segment", "unknown"]) == [1, 1, 1, 1, 1]


def test_a_rate_has_the_interval_of_its_counts(cohorts):
    row = cohorts["m", "2024-03-01", "all", "all"]
    assert (row.lead_to_mql_rate, row.lead_to_mql_rate_status) == (0.8, "ok")
    # Wilson for 4 of 5: (0.8 + 1.920730/5 ± 1.959964 √(0.8·0.2/5 + 3.841459/100)) ÷ (1 + 3.841459/5)
    # = (1.184146 ± 0.520091) ÷ 1.768292 = 0.375535 and 0.963776.
    assert (row.lead_to_mql_rate_low, row.lead_to_mql_rate_high) == pytest.approx((0.375535, 0.963776), abs=2e-6)
    assert (row.mql_to_sql_rate, row.sql_to_opportunity_rate, row.opportunity_to_win_rate) == (0.5, 1.0, 1.0)
    # Two of five leads won; of two SQLs a rate is small at four observations.
    assert (row.lead_to_win_rate, row.sql_to_opportunity_rate_status) == (0.4, "small")
    lost = cohorts["m", "2024-04-01", "lead_source", "events"]
    assert (lost.lead_to_mql_rate, lost.lead_to_mql_rate_status) == (None, "nobody")


def test_a_cohort_enters_a_rate_only_when_it_has_had_the_time(cohorts):
    # May ended 30 days before the as-of day: just enough for an MQL (30 days), not for an SQL (45) or more.
    may = cohorts["m", "2026-05-01", "all", "all"]
    assert (may.lead_to_mql_rate, may.lead_to_mql_rate_status) == (1.0, "small")
    assert (may.mql_to_sql_rate, may.mql_to_sql_rate_status) == (None, "too_young")
    assert (may.wins, may.lead_to_win_rate, may.lead_to_win_rate_low) == (1, None, None)
    assert cohorts["m", "2026-06-01", "all", "all"].lead_to_mql_rate_status == "too_young"
    # The week from Monday 4 May to Sunday 10 May ended 51 days before: enough for an SQL, too.
    week = cohorts["w", "2026-05-04", "all", "all"]
    assert (week.mql_to_sql_rate_status, week.sql_to_opportunity_rate_status) == ("small", "too_young")


def test_weeks_begin_on_monday_and_have_no_costs(cohorts):
    # 31 March 2024 is the Sunday of the week that began on the 25th; the 4th is a Monday.
    assert stages(cohorts["w", "2024-03-25", "all", "all"]) == [2, 2, 2, 2, 2]
    assert stages(cohorts["w", "2024-03-04", "lead_source", "direct"]) == [1, 1, 0, 0, 0]
    assert {key[2] for key in cohorts if key[0] == "w"} == {"all", "lead_source"}
    assert all(row.programme_spend is None for key, row in cohorts.items() if key[0] == "w")


def test_a_step_costs_the_programmes_of_the_month_by_who_reached_it(cohorts):
    row = cohorts["m", "2024-03-01", "all", "all"]
    costs = [row[name] for name in ("programme_spend", *funnel.COSTS)]
    # 900 ÷ 5, 4, 2, 2 and 2.
    assert costs == [Decimal(amount) for amount in ("900", "180", "225", "450", "450", "450")]
    # K1 spent 600 and brought three people, of whom two came to an MQL and won.
    campaign = cohorts["m", "2024-03-01", "campaign", "K1"]
    assert (campaign.cost_per_lead, campaign.cost_per_win) == (Decimal("200.00"), Decimal("300.00"))


def test_what_has_no_known_spend_has_no_cost_and_what_brought_nobody_has_its_spend(cohorts):
    for value in ("lead_source", "direct"), ("campaign", "none"), ("segment", "SMB"):
        row = cohorts["m", "2024-03-01", *value]
        assert (row.programme_spend, row.cost_per_lead) == (None, None)
    idle = cohorts["m", "2024-03-01", "campaign", "K2"]
    assert (idle.programme_spend, idle.leads, idle.cost_per_lead) == (Decimal(300), 0, None)
    # May spent 100 euros at 1.00; its win costs nothing yet, since more may come.
    may = cohorts["m", "2026-05-01", "campaign", "K1"]
    assert (may.programme_spend, may.cost_per_mql, may.cost_per_win) == (Decimal(100), Decimal(100), None)
    assert not any(key[1] == "2026-07-01" for key in cohorts)


def cost_statuses(row):
    return [row[f"{cost}_status"] for cost in funnel.COSTS]


def test_a_cost_that_is_missing_says_why(cohorts):
    assert cost_statuses(cohorts["m", "2024-03-01", "all", "all"]) == ["ok"] * 5
    # Nobody can say what a segment cost, nor a week.
    assert cost_statuses(cohorts["m", "2024-03-01", "segment", "SMB"]) == ["not_split"] * 5
    assert cost_statuses(cohorts["w", "2024-03-25", "all", "all"]) == ["not_split"] * 5
    # Nothing was spent in April 2024, nor on the channel in March.
    assert cost_statuses(cohorts["m", "2024-04-01", "all", "all"]) == ["no_spend"] * 5
    assert cost_statuses(cohorts["m", "2024-03-01", "lead_source", "direct"]) == ["no_spend"] * 5
    assert cost_statuses(cohorts["m", "2024-03-01", "campaign", "K2"]) == ["nobody"] * 5
    # May is old enough for its MQLs, and for no later step.
    assert cost_statuses(cohorts["m", "2026-05-01", "all", "all"]) == ["ok", "ok", *["too_young"] * 3]


def test_without_any_spend_no_cohort_has_a_cost(cohorts_with):
    # That of July comes after the as-of day.
    without = cohorts_with(SPENT[3]).values()
    assert {status for row in without for status in cost_statuses(row)} == {"no_data"}


@pytest.fixture(scope="module")
def speeds(rows, settings):
    def timed(lead_id, created, **moments):
        return known(lead_id, f"2026-{created[:5]}", created_at=at(created)) | moments

    found = funnel_velocity.transform(
        leads=rows(
            leads_table,
            timed("1", "03-02 08", first_touched_at=at("03-02 10"), mql_at=at("03-04 08")),
            timed("2", "03-02 08", first_touched_at=at("03-02 12"), lead_source="events"),
            # Comes again, and out of order: the opportunity stood before the lead.
            timed("3", "03-03 08", first_touched_at=at("03-04 18"), is_reentry=True, opportunity_at=at("03-01")),
            timed("4", "03-03 08", opportunity_at=at("03-13 08"), won_at=at("04-12 20"), segment=None),
            timed("5", "06-24 08", first_touched_at=at("06-24 09"), mql_at=at("06-25 08")),
        ),
        as_of=day("07-07"),
        min_observations=3,
        funnel=settings.funnel,
    )
    return {
        (str(row.month)[5:7], row.dimension, row.dimension_value): row for row in audited(found, funnel_velocity.table)
    }


def test_speed_to_lead_is_the_median_and_p90_of_all_leads_that_were_touched(speeds):
    row = speeds["03", "all", "all"]
    # 2, 4 and 34 hours; the 90th percentile lies at 0.9 × 2 = 1.8 between them: 4 + 0.8 × 30 = 28.
    assert (row.leads, row.touched_leads, row.hours_to_first_touch_status) == (4, 3, "ok")
    assert (row.median_hours_to_first_touch, row.p90_hours_to_first_touch) == (4.0, 28.0)
    assert speeds["03", "lead_source", "events"].median_hours_to_first_touch == 4.0


def test_a_duration_needs_both_moments_in_order(speeds):
    row = speeds["03", "all", "all"]
    assert (row.qualified_leads, row.median_days_to_mql, row.days_to_mql_status) == (1, 2.0, "small")
    # Lead 4 alone: ten days; what skipped a step has no time to it.
    assert (row.opened_leads, row.median_days_to_opportunity, row.accepted_leads) == (1, 10.0, 0)
    assert (row.median_days_to_sql, row.days_to_sql_status) == (None, "nobody")


def test_a_month_is_silent_of_steps_that_it_has_had_no_time_for(speeds):
    # Won 40.5 days after the lead came, and 30.5 after the opportunity was opened; March is too young to say so.
    row = speeds["03", "segment", "unknown"]
    assert (row.won_leads, row.closed_leads, row.median_days_to_win, row.p90_cycle_days) == (1, 1, None, None)
    assert (row.days_to_win_status, row.cycle_days_status) == ("too_young", "too_young")
    # June ended a week ago: enough for a first touch (7 days), not for an MQL.
    june = speeds["06", "all", "all"]
    assert (june.median_hours_to_first_touch, june.median_days_to_mql) == (1.0, None)
