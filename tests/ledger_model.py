"""The movement ledger once more, day by day in plain Decimals: slow, obvious, and without a line of the job's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

BEARING = {"active", "past_due", "canceled"}
MONTHS = {"day": Fraction(12, 365), "week": Fraction(12, 52), "month": Fraction(1), "year": Fraction(12)}
ONE_DAY = timedelta(days=1)


def rounded(value: Fraction | Decimal, decimals: int) -> Decimal:
    """Return the value half up; only for values that are not negative."""
    units = int(Fraction(value) * 10**decimals + Fraction(1, 2))
    return Decimal(units).scaleb(-decimals)


def monthly(item: dict) -> Decimal:
    """Return what a received item is worth by the month."""
    return rounded(Fraction(item["amount"]) / (MONTHS[item["billing_interval"]] * item["interval_count"]), 6)


def worth_on(items: list[dict], day: date) -> Counter:
    """Return what the items are worth by the month on a day, by currency."""
    worth: Counter = Counter()
    for item in items:
        bears = item["status"] in BEARING and item["item_type"] != "one_time"
        if bears and item["start_date"] <= day and (item["end_date"] is None or day < item["end_date"]):
            worth[item["currency"]] += monthly(item)
    return worth


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


def ledger(items: list[dict], rates: list[dict], as_of: date) -> dict[date, dict[str, object]]:
    """Return one customer's months: components that are not zero, movement and mean of the days."""

    def converted(worth: Counter, day: date) -> Decimal:
        total = sum(
            (Fraction(amount) * Fraction(rate_on(rates, currency, day)) for currency, amount in worth.items()),
            Fraction(),
        )
        return rounded(total, 2)

    found: dict[date, dict[str, object]] = {}
    for start, end in months(min(item["start_date"] for item in items), as_of):
        before = start - ONE_DAY
        days = [worth_on(items, start + n * ONE_DAY) for n in range(end.day)]
        opens, closes = worth_on(items, before), days[-1]
        opening, closing, kept = converted(opens, before), converted(closes, end), converted(closes, before)
        paid_days = [worth for worth in days if worth]
        last = converted(paid_days[-1], end) if paid_days else Decimal(0)
        if not (opening or last):
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
            currency: sum(Fraction(worth[currency]) for worth in days) / len(days)
            for currency in {currency for worth in days for currency in worth}
        }
        found[start] = {
            "movement": movement,
            "average_daily": converted(Counter(mean), end),
            **{name: amount for name, amount in parts.items() if amount},
        }
    return found
