"""The movement ledger once more, day by day in plain Decimals: slow, obvious, and without a line of the job's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from lakehouse.policies import Policy

MONTHS = {"day": Fraction(12, 365), "month": Fraction(1), "year": Fraction(12)}
ONE_DAY = timedelta(days=1)


def rounded(value: Fraction | Decimal, decimals: int) -> Decimal:
    """Return the value half up; only for values that are not negative."""
    units = int(Fraction(value) * 10**decimals + Fraction(1, 2))
    return Decimal(units).scaleb(-decimals)


def monthly(item: dict, policy: Policy) -> Decimal:
    """Return what a received item is worth by the month; the amount before a discount that ends, if such are out."""
    months = (MONTHS | {"week": Fraction(12, policy.weeks_per_year)})[item["billing_interval"]]
    is_finite = item.get("discount_duration") in {"once", "repeating"}
    amount = item["list_amount"] if is_finite and not policy.counts_finite_discounts else item["amount"]
    return rounded(Fraction(amount) / (months * item["interval_count"]), 6)


def counted(items: list[dict], policy: Policy) -> list[dict]:
    """Return the items that count, each with its ``monthly`` amount and with the days that count."""
    found = []
    for item in items:
        worth, end = monthly(item, policy), item["end_date"]
        said = item.get("canceled_at")
        if policy.churn_dated == "cancellation" and said:
            end = min(end or date.max, said.date())
        lasts = end is None or item["start_date"] < end
        if item["item_type"] != "one_time" and item["status"] in policy.statuses and worth and lasts:
            found.append(item | {"monthly": worth, "end_date": end})
    return renewed_late(found, policy.late_renewal_days)


def renewed_late(items: list[dict], days: int) -> list[dict]:
    """Return the items, of which those before a gap of at most so many days last until its end."""
    result = []
    for item in items:
        end = item["end_date"]
        later = [other["start_date"] for other in items if end and other["start_date"] > end]
        is_held = any(
            one["start_date"] <= end and (not one["end_date"] or end < one["end_date"]) for one in items if end
        )
        bridges = later and not is_held and (min(later) - end).days <= days
        result.append(item | {"end_date": min(later)} if bridges else item)
    return result


def worth_on(items: list[dict], day: date, fixed: dict[str, Decimal | None]) -> Counter:
    """Return what the items are worth by the month on a day, by currency and the rate that they keep, if they do."""
    worth: Counter = Counter()
    for item in items:
        if item["start_date"] <= day and (item["end_date"] is None or day < item["end_date"]):
            worth[item["currency"], fixed[item["subscription_item_id"]]] += item["monthly"]
    return worth


def kept_rates(items: list[dict], rates: list[dict], policy: Policy) -> dict[str, Decimal | None]:
    """Return by item the rate of its subscription's first day, or None where each month has its own."""
    first = {
        item["subscription_id"]: min(o["start_date"] for o in items if o["subscription_id"] == item["subscription_id"])
        for item in items
    }
    keeps = policy.converted_at == "movement"
    return {
        item["subscription_item_id"]: rate_on(rates, item["currency"], first[item["subscription_id"]])
        if keeps
        else None
        for item in items
    }


def rate_on(rates: list[dict], currency: str, day: date) -> Decimal:
    """Return the last rate on or before the day."""
    known = [row for row in rates if row["currency"] == currency and row["rate_date"] <= day]
    return Decimal(1) if currency == "USD" else max(known, key=lambda row: row["rate_date"])["rate"]


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Return first and last day of each month."""
    start = first.replace(day=1)
    while start <= last:
        following = (start + timedelta(days=31)).replace(day=1)
        yield start, following - ONE_DAY
        start = following


def ledger(received: list[dict], rates: list[dict], as_of: date, policy: Policy) -> dict[date, dict[str, object]]:
    """Return one customer's months: components that are not zero, movement and mean of the days.

    Free plans are no customers here.
    """
    items = counted(received, policy)
    fixed = kept_rates(items, rates, policy)

    def converted(worth: Counter, day: date) -> Decimal:
        total = sum(
            (
                Fraction(amount) * Fraction(kept or rate_on(rates, currency, day))
                for (currency, kept), amount in worth.items()
            ),
            Fraction(),
        )
        return rounded(total, 2)

    found: dict[date, dict[str, object]] = {}
    for start, end in months(min((item["start_date"] for item in items), default=date.max), as_of):
        before = start - ONE_DAY
        days = [worth_on(items, start + n * ONE_DAY, fixed) for n in range(end.day)]
        opens, closes = worth_on(items, before, fixed), days[-1]
        opening, closing, kept = converted(opens, before), converted(closes, end), converted(closes, before)
        paid_days = [worth for worth in days if worth]
        last = converted(paid_days[-1], end) if paid_days else Decimal(0)
        if not (opening or last) or not (opening or closing or policy.shows_new_and_churn_in_month):
            continue

        parts: Counter = Counter(opening=opening, closing=closing)
        arrival = "reactivation" if found else "new"
        if not closing:
            movement = "churn"
            parts["churned"] = opening or last
            parts[arrival] = Decimal(0) if opening else last
        elif not opening:
            movement = arrival
            parts[arrival] = closing
        else:
            change = kept - opening
            movement = "expansion" if change > 0 else "contraction" if change < 0 else "none"
            both_ways = min(converted(closes - opens, before), converted(opens - closes, before))
            parts["expansion"] = both_ways + max(change, Decimal(0))
            parts["contraction"] = both_ways + max(-change, Decimal(0))
            parts["fx"] = closing - kept

        mean = {
            key: sum(Fraction(worth[key]) for worth in days) / len(days)
            for key in {key for worth in days for key in worth}
        }
        found[start] = {
            "movement": movement,
            "average_daily": converted(Counter(mean), end),
            **{name: amount for name, amount in parts.items() if amount},
        }
    return found
