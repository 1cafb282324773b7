"""Attribution of won new business: which touches share a win, to the cent, and what is left without any."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.marketing_spend import table as received_spend
from jobs.gold import attribution
from jobs.silver.leads import table as leads_table
from jobs.silver.marketing_events import table as touches_table
from jobs.silver.opportunities import table as opportunities_table
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day
from tests.crm import at


def deal(opportunity_id, lead_id, arr, closed, **others):
    usual = {
        "opportunity_id": opportunity_id,
        "lead_id": lead_id,
        "opportunity_type": "new_business",
        "is_won": True,
        "arr_reporting": Decimal(arr),
        "closed_at": at(closed),
        "closed_date": at(closed).date(),
    }
    return usual | others


def touch(touch_id, lead_id, occurred, channel, campaign_id=None):
    return {
        "touch_id": touch_id,
        "lead_id": lead_id,
        "occurred_at": at(occurred),
        "channel": channel,
        "campaign_id": campaign_id,
    }


def spent(spend_id, month, amount, channel, campaign_id):
    return {
        "spend_id": spend_id,
        "month": month,
        "amount": Decimal(amount),
        "channel": channel,
        "campaign_id": campaign_id,
        "currency": "USD",
    }


@pytest.fixture(scope="module")
def shares(rows):
    found = attribution.transform(
        opportunities=rows(
            opportunities_table,
            # The person came first as L1 and was won as L2.
            deal("won", "L2", "100.00", "05-20 12"),
            deal("at once", "L3", "50.00", "05-02 12"),
            deal("nobody", None, "7.00", "05-03 12"),
            deal("lost", "L3", "1000.00", "05-20 12", is_won=False),
            deal("customer's", "L3", "1000.00", "05-20 12", opportunity_type="expansion"),
        ),
        leads=rows(
            leads_table,
            {"lead_id": "L1", "first_lead_id": "L1"},
            {"lead_id": "L2", "first_lead_id": "L1"},
            {"lead_id": "L3", "first_lead_id": "L3"},
        ),
        touches=rows(
            touches_table,
            touch("1", "L1", "03-01", "content", "K1"),
            # At the same moment: the name decides which is the last.
            touch("3", "L2", "05-20 12", "paid_search", "K2"),
            touch("2", "L2", "05-20 12", "events"),
            touch("4", "L2", "05-20 13", "direct"),
            # Two touches of one campaign, and one after the win.
            touch("5", "L3", "05-01", "content", "K1"),
            touch("6", "L3", "05-02", "content", "K1"),
            touch("7", "L3", "05-02 13", "events"),
        ),
        marketing_spend=rows(
            received_spend,
            spent("1", day("05-01"), "60", "content", "K1"),
            spent("2", day("05-01"), "30", "outbound", "K9"),
            spent("3", date(2026, 7, 1), "30", "outbound", "K9"),
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return {(row.model, row.channel, row.campaign_id): row for row in audited(found, attribution.table)}


def of(shares, model):
    return {
        key[1:]: (str(row.attributed_wins.normalize()), str(row.attributed_arr))
        for key, row in shares.items()
        if key[0] == model and row.attributed_wins
    }


def test_the_first_touch_is_that_of_the_persons_first_lead(shares):
    assert of(shares, "first_touch") == {
        ("content", "K1"): ("2", "150.00"),
        ("unattributed", "none"): ("1", "7.00"),
    }


def test_the_last_touch_is_the_last_one_before_the_win(shares):
    assert of(shares, "last_touch") == {
        ("paid_search", "K2"): ("1", "100.00"),
        ("content", "K1"): ("1", "50.00"),
        ("unattributed", "none"): ("1", "7.00"),
    }


def test_linear_shares_a_win_to_the_cent_and_the_millionth(shares):
    # A third of 100.00 is 33.33; the odd cent and the odd millionth go to the first in the alphabet, content. With the
    # other win: 33.34 + 50.00, and 0.333334 + 1.
    assert of(shares, "linear") == {
        ("content", "K1"): ("1.333334", "83.34"),
        ("events", "none"): ("0.333333", "33.33"),
        ("paid_search", "K2"): ("0.333333", "33.33"),
        ("unattributed", "none"): ("1", "7.00"),
    }


def test_every_model_shares_three_wins_and_their_arr(shares):
    for model in ("first_touch", "last_touch", "linear"):
        parts = [row for key, row in shares.items() if key[0] == model]
        assert sum(row.attributed_wins for row in parts) == 3
        assert sum(row.attributed_arr for row in parts) == Decimal("157.00")
        assert sum(row.campaign_spend or 0 for row in parts) == 90


def test_a_win_costs_what_its_campaign_spent_in_the_month(shares):
    # 60 ÷ 2, 60 ÷ 1 and 60 ÷ 1.333334 = 44.99998.
    told = [shares[model, "content", "K1"].cost_per_attributed_win for model in ("first_touch", "last_touch", "linear")]
    assert told == [Decimal("30.00"), Decimal("60.00"), Decimal("45.00")]
    assert shares["linear", "events", "none"].cost_per_attributed_win is None
    idle = shares["linear", "outbound", "K9"]
    assert (idle.attributed_wins, idle.campaign_spend, idle.cost_per_attributed_win) == (0, Decimal(30), None)
    assert {row.month for row in shares.values()} == {day("05-01")}
