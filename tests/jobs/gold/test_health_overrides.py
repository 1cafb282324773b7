"""gold.health_overrides: what a person set holds at the ends of its months, beside the computed score."""

from __future__ import annotations

from datetime import date

from jobs.gold.customer_health import table as customer_health
from jobs.gold.health_overrides import table, transform
from lakehouse.customer_settings import HealthOverride
from tests.billing import audited

MONTHS = {date(2026, 3, 1): date(2026, 3, 31), date(2026, 4, 1): date(2026, 4, 30), date(2026, 5, 1): date(2026, 5, 31)}


def test_an_override_holds_from_its_first_day_until_it_expires_at_the_ends_of_months(rows, settings):
    judged = [
        {"customer_id": name, "month": month, "as_of_date": end, "health_score": 80.0, "health_band": "healthy"}
        for name in ("ann", "bob", "cy")
        for month, end in MONTHS.items()
    ]

    def override(customer_id, score, starts_on, expires_on):
        return HealthOverride(
            customer_id=customer_id,
            score=score,
            owner="dana",
            reason="sponsor left",
            starts_on=starts_on,
            expires_on=expires_on,
        )

    found = transform(
        rows(customer_health, *judged),
        settings.health,
        [
            # From the last of March, gone on the last of May; the next one takes over there.
            override("ann", 45.0, date(2026, 3, 31), date(2026, 5, 31)),
            override("ann", 20.0, date(2026, 5, 31), date(2027, 1, 1)),
            # Between two ends of months: never in any.
            override("bob", 10.0, date(2026, 4, 1), date(2026, 4, 30)),
            override("nobody", 10.0, date(2026, 1, 1), date(2027, 1, 1)),
        ],
    )
    held = {(row.customer_id, row.month): row for row in audited(found, table)}
    assert {key: (row.override_score, row.override_band) for key, row in held.items()} == {
        ("ann", date(2026, 3, 1)): (45, "at_risk"),
        ("ann", date(2026, 4, 1)): (45, "at_risk"),
        ("ann", date(2026, 5, 1)): (20, "critical"),
    }
    april = held["ann", date(2026, 4, 1)]
    assert (april.health_score, april.health_band) == (80, "healthy")
    assert (april.owner, april.reason, april.expires_on) == ("dana", "sponsor left", date(2026, 5, 31))
