"""silver.customer_months: each movement, two currencies, and the dimensions at a month's close, worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.silver import customer_months, subscriptions
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day, terms

ITEMS = (
    terms("life", "01-01", "02-01", "100"),
    terms("life", "02-01", "03-01", "150"),
    terms("life", "03-01", "04-01", "120"),
    terms("life", "05-15", None, "200"),
    terms("same_price", "01-01", "03-10"),
    terms("same_price", "03-10"),
    terms("two", "01-01", None, "60"),
    terms("two", "01-01", "02-15", "40"),
    terms("mid_month", "01-10", "02-15", "100"),
    terms("mid_month", "02-15", None, "130"),
    terms("rounded_once", "02-01", "02-14", "215.395384"),
    terms("short", "02-03", "02-10", "80"),
    terms("short", "02-10", "02-20", "90"),
    terms("short", "04-05", "04-20", "70"),
    terms("converted", "01-01", "01-15", status="trialing"),
    terms("converted", "01-15", "03-01"),
    terms("converted", "03-01", "04-01", status="past_due"),
    terms("converted", "04-01", "05-01", status="unpaid"),
    terms("converted", "05-01", "06-01", status="paused"),
    terms("trial_only", "01-01", status="trialing"),
    terms("free", "01-01", amount="0"),
    terms("no_day", "02-01", "02-01"),
    terms("future", "07-01"),
    terms("euro", "01-01", "03-15", "100", currency="EUR"),
    terms("euro", "03-15", "05-10", "130", currency="EUR"),
    terms("euro_both", "01-01", "02-10", "100", currency="EUR"),
    terms("euro_both", "02-10", None, "130", currency="EUR"),
    terms("currencies", "01-01", "02-10", "100", subscription_id="usd"),
    terms("currencies", "02-10", None, "50", subscription_id="usd"),
    terms("currencies", "01-01", "02-10", "100", currency="EUR", subscription_item_id="e1", subscription_id="eur"),
    terms("currencies", "02-10", None, "200", currency="EUR", subscription_item_id="e2", subscription_id="eur"),
    terms("thirds", "06-01", amount="100", billing_interval="year", subscription_item_id="t1"),
    terms("thirds", "06-01", amount="100", billing_interval="year", subscription_item_id="t2"),
    terms("thirds", "06-01", amount="100", billing_interval="year", subscription_item_id="t3"),
    terms("largest", "01-01", "03-01", "100", plan_id="pro", quantity=7),
    terms("largest", "01-01", "02-01", "1300", plan_id="big", billing_interval="year", quantity=2),
    terms("largest", "01-01", "03-01", "20", plan_id="pro", item_type="add_on", quantity=50),
    terms("first_of_two", "01-01", "02-10", "100", quantity=10, subscription_id="s1"),
    terms("first_of_two", "02-10", None, "150", quantity=15, subscription_id="s1"),
    terms("first_of_two", "01-01", None, "40", quantity=2, subscription_id="s2"),
    terms("unlisted", "01-01", "02-10", "100", quantity=10),
    terms("unlisted", "02-10", "03-10", "160", quantity=15),
    terms("unlisted", "03-10", "04-10", "240", quantity=12, plan_id="pro"),
    terms("unlisted", "04-10", None, "240", quantity=12, plan_id="pro", subscription_id="another"),
    terms("listed", "01-01", "02-10", "90", quantity=5, plan_id="small"),
    terms("listed", "02-10", "03-10", "140", quantity=8, plan_id="small"),
    terms("listed", "03-10", "05-05", "460", quantity=12, plan_id="large"),
    terms("listed", "05-05", None, "400", quantity=4, plan_id="large"),
    terms("ahead", "01-01", "02-10", "1080", quantity=5, plan_id="small", billing_interval="year"),
    terms("ahead", "02-10", "03-10", "3840", quantity=5, plan_id="large", billing_interval="year"),
    terms("ahead", "03-10", None, "400", quantity=5, plan_id="large"),
    terms("coupon", "01-01", "02-10", "80", list_amount=Decimal(100), discount_duration="once"),
    terms("coupon", "02-10", "03-10", "75", list_amount=Decimal(100), discount_duration="repeating"),
    terms("coupon", "03-10", "04-10", "100", list_amount=Decimal(100)),
    terms("coupon", "04-10", None, "90", list_amount=Decimal(100), discount_duration="forever"),
    terms("coupon", "03-20", "05-20", "24", list_amount=Decimal(30), item_type="add_on", quantity=3),
    terms("cents", "01-01", "02-01", "20.004"),
    terms("cents", "02-01", None, "30.008"),
    terms("cents", "02-01", None, "5.004", item_type="add_on"),
    terms("leaving", "01-01", "04-01", "100", currency="EUR", status="canceled", canceled_at=datetime(2026, 2, 28, 23)),
    terms("leaving", "01-01", None, "30", currency="EUR", item_type="add_on"),
    terms("buyer", "06-01"),
    terms("buyer", "06-20", amount="500", item_type="one_time", currency="EUR"),
    terms("buyer", "06-21", amount="900", item_type="one_time", status="unpaid"),
)

RATE_A_YEAR_BEFORE = {"currency": "EUR", "rate_date": date(2025, 2, 10), "rate": Decimal("0.90")}

CUSTOMERS = (
    {"customer_id": "life", "employee_count": 50, "region": "Europe", "updated_at": datetime(2026, 2, 10)},
    {"customer_id": "life", "employee_count": 99, "region": "Asia", "updated_at": datetime(2026, 3, 31, 9)},
    {"customer_id": "life", "employee_count": 100, "region": "Asia", "updated_at": datetime(2026, 3, 31, 23)},
    {"customer_id": "life", "employee_count": 1000, "region": "Asia", "updated_at": datetime(2026, 5, 1)},
)

LARGE = {"plan_id": "large", "base_price": 400, "price_per_seat": 30, "included_seats": 10, "annual_discount_rate": 0.2}
SMALL = {"plan_id": "small", "base_price": 100, "price_per_seat": 15, "included_seats": 5, "annual_discount_rate": 0.1}
PLANS = (
    SMALL | {"valid_from": day("01-01")},
    LARGE | {"valid_from": day("01-01")},
    LARGE | {"valid_from": day("05-02"), "included_seats": 0},
)


@pytest.fixture(scope="module")
def ledger(rows, settings):
    """Rows by customer and month number; every test reads its own customer from one job."""
    rates = rows(received_rates, RATE_A_YEAR_BEFORE, *EXCHANGE_RATES)
    terms_held = subscriptions.transform(
        subscriptions=rows(received, *ITEMS),
        exchange_rates=rates,
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    months = customer_months.transform(
        subscriptions=terms_held,
        customers=rows(received_customers, *CUSTOMERS),
        exchange_rates=rates,
        plans=rows(received_plans, *PLANS),
        as_of=AS_OF,
        reporting_currency="USD",
        segments=settings.segments,
        policy=settings.policy,
    )
    by_customer = defaultdict(dict)
    for row in audited(months, customer_months.table):
        by_customer[row.customer_id][row.month.month] = row
    return by_customer


def movements(ledger, customer):
    return {month: row.movement for month, row in sorted(ledger[customer].items())}


def components(row):
    """The components that are not zero, by name without the suffix."""
    names = ("opening", "new", "expansion", "contraction", "churned", "reactivation", "fx", "closing")
    return {name: amount for name in names if (amount := row[f"{name}_mrr"])}


def parts(row):
    """What the change is made of, without what is zero."""
    names = ("add_ons", "plan", "seats", "price", "discount", "currency")
    return {name: amount for name in names if (amount := row[f"change_{name}"])}


def test_a_life_passes_through_every_movement(ledger):
    life = ledger["life"]
    assert movements(ledger, "life") == {
        1: "new",
        2: "expansion",
        3: "contraction",
        4: "churn",
        5: "reactivation",
        6: "none",
    }
    assert components(life[1]) == {"new": 100, "closing": 100}
    assert components(life[2]) == {"opening": 100, "expansion": 50, "closing": 150}
    assert components(life[3]) == {"opening": 150, "contraction": 30, "closing": 120}
    assert components(life[4]) == {"opening": 120, "churned": 120}
    assert components(life[5]) == {"reactivation": 200, "closing": 200}
    assert components(life[6]) == {"opening": 200, "closing": 200}


def test_who_comes_back_stays_in_the_first_cohort(ledger):
    assert [(row.cohort_month, row.age_months) for row in (ledger["life"][1], ledger["life"][5])] == [
        (day("01-01"), 0),
        (day("01-01"), 4),
    ]


def test_back_to_back_terms_at_the_same_price_are_no_movement(ledger):
    assert movements(ledger, "same_price") == {1: "new"} | dict.fromkeys(range(2, 7), "none")


def test_closing_one_of_two_subscriptions_is_contraction(ledger):
    assert components(ledger["two"][2]) == {"opening": 100, "contraction": 40, "closing": 60}
    assert ledger["two"][2].movement == "contraction"


def test_a_change_in_mid_month_moves_mrr_in_full_and_revenue_by_its_days(ledger):
    january, february = ledger["mid_month"][1], ledger["mid_month"][2]
    assert components(january) == {"new": 100, "closing": 100}
    assert january.average_daily_mrr == Decimal("70.97")  # 100 x 22 / 31
    assert components(february) == {"opening": 100, "expansion": 30, "closing": 130}
    assert february.average_daily_mrr == 115  # (100 x 14 + 130 x 14) / 28


def test_the_mean_of_a_months_days_is_rounded_once(ledger):
    # 215.395384 x 13 / 28 = 100.00499971; rounded to six decimals before, 100.005, it would be a cent more.
    assert ledger["rounded_once"][2].average_daily_mrr == 100


def test_new_and_churn_inside_a_month_are_both_shown_at_the_mrr_of_the_last_day(ledger):
    february = ledger["short"][2]
    assert (february.movement, february.is_active) == ("churn", False)
    assert components(february) == {"new": 90, "churned": 90}
    assert february.average_daily_mrr == Decimal("52.14")  # (80 x 7 + 90 x 10) / 28


def test_a_return_inside_a_month_is_a_reactivation_and_a_churn(ledger):
    assert movements(ledger, "short") == {2: "churn", 4: "churn"}
    assert components(ledger["short"][4]) == {"reactivation": 70, "churned": 70}


def test_dunning_counts_but_trials_unpaid_and_paused_terms_do_not(ledger):
    assert movements(ledger, "converted") == {1: "new", 2: "none", 3: "none", 4: "churn"}


def test_who_never_pays_is_not_in_the_ledger(ledger):
    assert ledger.keys().isdisjoint({"trial_only", "free", "no_day", "future"})


def test_a_rate_that_changes_is_fx_and_no_movement(ledger):
    euro = ledger["euro"]
    assert movements(ledger, "euro") == {1: "new", 2: "none", 3: "expansion", 4: "none", 5: "churn"}
    assert components(euro[1]) == {"new": 110, "closing": 110}
    assert components(euro[2]) == {"opening": 110, "fx": 10, "closing": 120}
    assert components(euro[3]) == {"opening": 120, "expansion": 36, "closing": 156}  # 30 at 1.20
    assert components(euro[4]) == {"opening": 156, "fx": -26, "closing": 130}
    assert components(euro[5]) == {"opening": 130, "churned": 130}


def test_an_expansion_is_valued_at_the_opening_rate_when_the_rate_changes_too(ledger):
    # 100 x 1.10 opens, 130 x 1.20 closes: 30 x 1.10 is expansion, 130 x 0.10 is fx.
    assert components(ledger["euro_both"][2]) == {"opening": 110, "expansion": 33, "fx": 13, "closing": 156}


def test_changes_of_opposite_sign_in_two_currencies_are_both_shown(ledger):
    # USD 100 to 50, EUR 100 to 200 at 1.10 when the month opens and 1.20 when it closes.
    february = ledger["currencies"][2]
    assert components(february) == {"opening": 210, "expansion": 110, "contraction": 50, "fx": 20, "closing": 290}
    assert february.movement == "expansion"


def test_what_closes_is_valued_at_the_rates_of_a_year_ago_and_of_the_first_month_too(ledger):
    # EUR is at 0.90 from 10 February 2025 on and at 1.10 on 31 January 2026.
    march, february = ledger["euro"][3], ledger["currencies"][2]
    assert (march.closing_mrr_at_year_ago_rates, march.closing_mrr_at_cohort_rates) == (117, 143)  # EUR 130
    assert (february.closing_mrr_at_year_ago_rates, february.closing_mrr_at_cohort_rates) == (230, 270)  # and USD 50
    assert february.billing_currency == "EUR"


def test_a_currency_without_a_rate_a_year_ago_takes_the_closing_one(ledger):
    assert ledger["euro"][1].closing_mrr_at_year_ago_rates == 110


def test_what_is_cancelled_is_in_notice_from_the_day_it_is_said_until_it_ends(ledger):
    # Said on 28 February, ends on 1 April: EUR 100 of 130 at 1.20.
    notice = {month: (row.closing_mrr, row.notice_mrr) for month, row in ledger["leaving"].items()}
    assert notice == {1: (143, 0), 2: (156, 120), 3: (156, 120), 4: (30, 0), 5: (30, 0), 6: (30, 0)}


def test_items_are_summed_before_they_are_rounded_to_the_cent(ledger):
    # 3 x 8.333333 = 24.999999; each rounded first would give 24.99.
    assert ledger["thirds"][6].closing_mrr == 25
    assert ledger["thirds"][6].arr == 300


def test_plan_and_cadence_are_those_of_the_largest_item(ledger):
    january, february, march = (ledger["largest"][month] for month in (1, 2, 3))
    # On 31 January 1,300 a year is 108.33 a month and more than 100.
    assert (january.plan_id, january.billing_cadence, january.seats) == ("big", "annual", 9)
    assert (february.plan_id, february.billing_cadence, february.seats) == ("pro", "monthly", 7)
    assert (march.movement, march.plan_id, march.seats) == ("churn", "pro", 0)


def test_who_comes_or_goes_has_no_change_of_terms(ledger):
    assert [parts(ledger["life"][month]) for month in (1, 4, 5, 6)] == [{}, {}, {}, {}]
    assert parts(ledger["short"][2]) == {}
    assert parts(ledger["euro"][5]) == {}


def test_seats_and_plans_are_priced_by_the_list_in_proportion_to_what_was_paid(ledger):
    listed = ledger["listed"]
    # 90 instead of 100 is 0.9 of the list, on which 8 seats are 100 + 3 x 15: 0.9 x 145 = 130.50; the rest is price.
    assert parts(listed[2]) == {"seats": Decimal("40.50"), "price": Decimal("9.50")}
    # 140 instead of 145; large costs 400 with 8 seats as with 10: 140 x 400 / 145 = 386.21; two seats beyond 10 are 60:
    # 140 x 460 / 145 = 444.14; paid are 460.
    assert parts(listed[3]) == {"plan": Decimal("246.21"), "seats": Decimal("57.93"), "price": Decimal("15.86")}
    # The list that begins on 2 May does not yet hold when May opens: 12 seats are 460, and 4 cost the base price.
    assert parts(listed[5]) == {"seats": -60}


def test_a_year_paid_ahead_takes_each_plans_own_discount(ledger):
    ahead = ledger["ahead"]
    # 1,080 a year are 100 x 0.9 a month, 3,840 are 400 x 0.8.
    assert parts(ahead[2]) == {"plan": 230}
    assert parts(ahead[3]) == {"price": 80}


def test_without_a_list_the_price_is_per_seat(ledger):
    unlisted = ledger["unlisted"]
    # 5 seats more at 10 each, then 10 more for the same seats.
    assert parts(unlisted[2]) == {"seats": 50, "price": 10}
    # 240 / 12 = 20 a seat: 15 seats would be 300 under the new plan, 3 of them are given up.
    assert parts(unlisted[3]) == {"plan": 140, "seats": -60}
    assert parts(unlisted[4]) == {}  # the same terms under another subscription


def test_discounts_and_add_ons_are_changes_of_their_own(ledger):
    coupon = ledger["coupon"]
    assert parts(coupon[2]) == {"discount": -5}
    # The coupon on the plan ends, 25; an add-on of 30 comes with 6 off.
    assert parts(coupon[3]) == {"add_ons": 30, "discount": 19}
    assert parts(coupon[4]) == {"discount": -10}
    assert parts(coupon[5]) == {"add_ons": -30, "discount": 6}


def test_a_subscription_beside_is_so_many_seats(ledger):
    assert parts(ledger["two"][2]) == {"seats": -40}


def test_each_of_several_subscriptions_is_compared_with_itself(ledger):
    assert parts(ledger["first_of_two"][2]) == {"seats": 50}  # 5 at 10, although both together cost 11.67 a seat


def test_what_rates_do_is_the_currencys_part(ledger):
    assert parts(ledger["euro"][2]) == {"currency": 10}
    assert parts(ledger["euro_both"][2]) == {"price": 33, "currency": 13}
    assert parts(ledger["currencies"][2]) == {"price": 60, "currency": 20}  # -50 in USD, 100 x 1.10


def test_the_cent_that_rounding_leaves_is_the_largest_parts(ledger):
    # 20.004 to 35.012 is 20.00 to 35.01; 10.004 and 5.004 round to 10 and 5.
    assert parts(ledger["cents"][2]) == {"add_ons": 5, "price": Decimal("10.01")}


def test_one_time_items_are_revenue_and_no_mrr(ledger):
    june = ledger["buyer"][6]
    assert (june.closing_mrr, june.one_time_amount, june.revenue) == (100, 500, 600)


def test_dimensions_are_those_of_the_months_close(ledger):
    dimensions = {month: (row.segment, row.region) for month, row in ledger["life"].items()}
    assert dimensions[1] == ("SMB", "Europe")  # the first version also serves the months before it
    assert dimensions[2] == ("SMB", "Europe")
    assert dimensions[3] == ("Mid-Market", "Asia")  # the last of two versions of 31 March
    assert dimensions[5] == ("Enterprise", "Asia")


def test_a_customer_without_a_record_has_no_dimensions_but_a_ledger(ledger):
    assert ledger["two"][1].segment is None
    assert ledger["two"][1].closing_mrr == 100
