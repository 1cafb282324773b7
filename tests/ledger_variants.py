"""The records of generated companies, and the same records changed in ways whose effect on the ledger is known.

Each variant has customers, regions, industries and currencies of its own, so that all of them go through one Spark job:
a company is a region, and the waterfall of a region is that of one company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.billing import day
from tests.customer_cases import RATES, generated_customers

CUSTOMERS_IN_A_COMPANY = 5
TIMES = 3
# Of amounts like these everything is a whole number of cents by the month: 36 months, 52 weeks / 36, 365 days / 36.
WHOLE_CENTS = 360_000
LATER = day("07-05")
NEWCOMER = "newcomer"


@dataclass(frozen=True)
class Records:
    """What billing and CRM send: items, versions of customers, and rates."""

    items: tuple[dict, ...]
    customers: tuple[dict, ...]
    rates: tuple[dict, ...]

    def each_item(self, change: Callable[[dict], dict]) -> Records:
        """Return the records with every item changed."""
        return replace(self, items=tuple(map(change, self.items)))

    def and_items(self, *more: dict) -> Records:
        """Return the records with more items."""
        return replace(self, items=(*self.items, *more))


def as_written() -> Records:
    """Return the generated companies; every other customer grows into another segment and changes its industry."""
    drawn = generated_customers()
    customers = [version for number, customer_id in enumerate(drawn) for version in _versions(number, customer_id)]
    items = [_told_apart(item, position) for items in drawn.values() for position, item in enumerate(items)]
    rate_of_2025 = {"currency": "EUR", "rate_date": date(2025, 2, 10), "rate": Decimal("0.9")}
    return Records(tuple(items), tuple(customers), (rate_of_2025, *RATES))


def _told_apart(item: dict, position: int) -> dict:
    """Return a drawn item that is worth a little more than those before it: of equals the id would name the largest."""
    amount = item["amount"] and item["amount"] + position * Decimal("0.01")
    return item | {
        "plan_id": ("starter", "pro")[position % 2],
        "amount": amount,
        "list_amount": amount + 5,
        "updated_at": datetime(2026, 1, 2),
    }


def _versions(number: int, customer_id: str) -> list[dict]:
    first = {
        "customer_id": customer_id,
        "region": f"{number // CUSTOMERS_IN_A_COMPANY}",
        "industry": "retail",
        "employee_count": 50,
        "updated_at": datetime(2025, 12, 1),
    }
    grown = {"industry": "banking", "employee_count": 500, "updated_at": datetime(2026, 3, 10, 9)}
    # Two versions of one moment: which of them counts must not depend on their order.
    return [first, first | grown, first | grown | {"employee_count": 5000}] if number % 2 else [first]


def shuffled(records: Records) -> Records:
    """Return the records in another order; the caller deals them to several files."""
    return Records(*(tuple(reversed(rows)) for rows in (records.items, records.customers, records.rates)))


def received_again(records: Records) -> Records:
    """Return every record twice, and before each item a version of it at twice the price that it replaced."""
    replaced = [
        item | {"amount": 2 * item["amount"], "status": "active", "updated_at": datetime(2026, 1, 1)}
        for item in records.items
    ]
    return Records((*replaced, *records.items, *records.items), records.customers * 2, records.rates * 2)


def other_name(name: str) -> str:
    """Return another customer id, and the first one for the other; what came first in the alphabet comes last."""
    return f"c{999 - int(name[1:]):03d}"


def renamed(records: Records) -> Records:
    """Return the records under ids whose alphabetical order is the opposite."""

    def under_others(item: dict) -> dict:
        customer_id, position = item["subscription_item_id"].split("-")
        return item | {
            "customer_id": other_name(customer_id),
            "subscription_item_id": f"{other_name(customer_id)}-{9 - int(position)}",
            "subscription_id": {"a": "b", "b": "a"}[item["subscription_id"]],
        }

    customers = (version | {"customer_id": other_name(version["customer_id"])} for version in records.customers)
    return replace(records.each_item(under_others), customers=tuple(customers))


def in_whole_cents(records: Records) -> Records:
    """Return the records at prices of which everything by the month is whole cents."""
    prices = {price: step * WHOLE_CENTS for step, price in enumerate(sorted({i["amount"] for i in records.items}))}

    def priced(item: dict) -> dict:
        price = Decimal(prices[item["amount"]])
        return item | {"amount": price, "list_amount": price + WHOLE_CENTS}

    return records.each_item(priced)


def at_higher_prices(records: Records) -> Records:
    """Return the records at ``TIMES`` the price."""
    return records.each_item(lambda item: item | {name: TIMES * item[name] for name in ("amount", "list_amount")})


def moved(records: Records, move: Callable[[date], date]) -> Records:
    """Return the records with every day moved, and moments at the hour they were."""

    def moved_row(row: dict) -> dict:
        return {name: move(value) if isinstance(value, date) else value for name, value in row.items()}

    return Records(*(tuple(map(moved_row, rows)) for rows in (records.items, records.customers, records.rates)))


def on_days_of_every_month(records: Records) -> Records:
    """Return the records with the last days of months, which not every month has, moved to the 28th."""
    return moved(records, lambda moment: moment.replace(day=min(moment.day, 28)))


def a_month_later(records: Records) -> Records:
    """Return the records with every day moved to the same one of the next month."""
    return moved(records, lambda moment: next_month(moment).replace(day=moment.day))


def next_month(moment: date) -> date:
    """Return the first day of the next month."""
    return (moment.replace(day=1) + timedelta(days=31)).replace(day=1)


def newcomers(records: Records) -> Records:
    """Return for each company a further customer, with terms like those of another one."""
    companies = {version["customer_id"]: version["region"] for version in records.customers}
    first_ids = list(companies)[::CUSTOMERS_IN_A_COMPANY]
    like = dict(zip(first_ids, (*first_ids[1:], first_ids[0]), strict=True))

    def joining(row: dict, customer_id: str) -> dict:
        ids = {name: f"{NEWCOMER} {customer_id} {row[name]}" for name in row if name == "subscription_item_id"}
        return row | ids | {"customer_id": f"{NEWCOMER} {customer_id}"}

    items = [joining(row, new) for new, old in like.items() for row in records.items if row["customer_id"] == old]
    customers = [
        joining(row, new) | {"region": companies[new]}
        for new, old in like.items()
        for row in records.customers
        if row["customer_id"] == old
    ]
    return Records(tuple(items), tuple(customers), records.rates)


def with_newcomers(records: Records) -> Records:
    """Return the companies with one more customer each."""
    more = newcomers(records)
    return Records((*records.items, *more.items), (*records.customers, *more.customers), records.rates)


def with_retail_split(records: Records) -> Records:
    """Return the records with retail split in two by customer."""

    def split(version: dict) -> dict:
        half = int(version["customer_id"][1:]) // 2 % 2
        return version | ({"industry": f"retail {half}"} if version["industry"] == "retail" else {})

    return replace(records, customers=tuple(map(split, records.customers)))


def at_rates_of_one(records: Records) -> Records:
    """Return the records with every rate 1."""
    return replace(records, rates=tuple(rate | {"rate": Decimal(1)} for rate in records.rates))


def all_in_dollars(records: Records) -> Records:
    """Return the records with the same amounts, but all in the reporting currency."""
    return records.each_item(lambda item: item | {"currency": "USD"})


def with_worthless_items(records: Records) -> Records:
    """Return the records with a free plan, a trial, an unpaid item and one of no day for every item."""
    worthless = (
        {"amount": Decimal(0), "list_amount": Decimal(0), "status": "active", "item_type": "plan"},
        {"status": "trialing"},
        {"status": "unpaid"},
        {"item_type": "plan", "end_date": None, "status": "active", "start_date": None},
    )
    more = [
        item | {"subscription_item_id": f"{item['subscription_item_id']} {kind}"} | _no_day(item, change)
        for item in records.items
        for kind, change in enumerate(worthless)
    ]
    return records.and_items(*more)


def _no_day(item: dict, change: dict) -> dict:
    return (
        change if "start_date" not in change else change | dict.fromkeys(("start_date", "end_date"), item["start_date"])
    )


def cut_in_two(records: Records) -> Records:
    """Return the records with every recurring item of at least two days cut into two that follow each other."""
    return replace(records, items=tuple(part for item in records.items for part in _halves(item)))


def _halves(item: dict) -> list[dict]:
    days = (item["end_date"] - item["start_date"]).days if item["end_date"] else 80
    if item["item_type"] == "one_time" or days < 2:
        return [item]
    middle = item["start_date"] + timedelta(days=days // 2)
    # Of terms that are cancelled but stay open nothing is in notice, and so of no part of them.
    said = item["canceled_at"] if item["end_date"] else None
    second_id = f"{item['subscription_item_id']} 2"
    return [
        item | {"end_date": middle, "canceled_at": said},
        item | {"start_date": middle, "subscription_item_id": second_id},
    ]


def with_years_in_months(records: Records) -> Records:
    """Return the records with n years told as 12 n months."""

    def told(item: dict) -> dict:
        is_year = item["billing_interval"] == "year"
        months = {"billing_interval": "month", "interval_count": 12 * item["interval_count"]}
        return item | (months if is_year else {})

    return records.each_item(told)


def with_later_items(records: Records) -> Records:
    """Return the records with one more plan for each customer, from ``LATER`` on."""
    firsts = [item for item in records.items if item["subscription_item_id"].endswith("-0")]
    later = {"item_type": "plan", "status": "active", "start_date": LATER, "end_date": None, "amount": Decimal(77)}
    return records.and_items(
        *(item | later | {"subscription_item_id": f"{item['subscription_item_id']} later"} for item in firsts)
    )


def only(records: Records, customer_id: str) -> Records:
    """Return the records of one customer."""
    items, customers = (
        tuple(row for row in rows if row["customer_id"] == customer_id) for rows in (records.items, records.customers)
    )
    return Records(items, customers, records.rates)


def variants() -> dict[str, Records]:
    """Return the records of every variant by its name."""
    written = as_written()
    whole, tidy = in_whole_cents(written), on_days_of_every_month(written)
    changed = {
        "as written": written,
        "shuffled": shuffled(written),
        "received again": received_again(written),
        "renamed": renamed(written),
        "in whole cents": whole,
        "at higher prices": at_higher_prices(whole),
        "on days of every month": tidy,
        "a month later": a_month_later(tidy),
        "with newcomers": with_newcomers(written),
        "newcomers": newcomers(written),
        "with retail split": with_retail_split(written),
        "at rates of one": at_rates_of_one(written),
        "all in dollars": all_in_dollars(written),
        "with worthless items": with_worthless_items(written),
        "cut in two": cut_in_two(written),
        "with years in months": with_years_in_months(written),
        "with later items": with_later_items(written),
    }
    return {name: _apart(name, records) for name, records in changed.items()}


def _apart(variant: str, records: Records) -> Records:
    """Return the records under names that no other variant has; only dollars are everybody's."""
    names = ("customer_id", "subscription_item_id", "subscription_id", "region", "industry")

    def own(row: dict) -> dict:
        currency = {"currency": f"{variant}: {row['currency']}"} if row.get("currency", "USD") != "USD" else {}
        return row | {name: f"{variant}: {row[name]}" for name in names if name in row} | currency

    return Records(*(tuple(map(own, rows)) for rows in (records.items, records.customers, records.rates)))
