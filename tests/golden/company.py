"""The golden company: forty paying customers in the first half of 2026, and what happened to each, written by hand.

Days are ``month-day`` of 2026. A euro is worth $1.10, from the last day of March $1.20 and on the last of June $1.25.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tests.billing import day, terms

STARTERS = tuple(f"S{number:02}" for number in range(1, 21))
ANNUALS = ("A1", "A2", "A3", "A4", "A5")
# Each has a story of its own, below; those of the first line came by referral.
REFERRED = ("EURO", "UP", "DOWN", "LEFT", "BACK", "PAUSED", "DUE")
OTHERS = ("TWO", "ADD", "QUARTER", "COUPON", "FIXED", "UNPAID")
SEARCHED = ("WEEK", "FLASH")
NEVER_PAID = ("TRIAL", "FREE", "LATER")

FEATURES = {
    "dashboard_viewed": ("dashboards", "dashboard_view"),
    "report_generated": ("reports", "report_builder"),
    "api_call": ("advanced", "rest_api"),
}


def customer(customer_id: str, channel: str, employees: int = 10, size: str = "Startup") -> dict:
    """Return a customer that signed up on the first of January."""
    return {
        "customer_id": customer_id,
        "acquisition_channel": channel,
        "employee_count": employees,
        "company_size": size,
        "signup_at": datetime(2026, 1, 1),
        "updated_at": datetime(2026, 1, 1),
    }


def invoice(customer_id: str, issued: str, subtotal: str, tax: str, currency: str = "USD") -> dict:
    """Return a paid invoice, called by customer and day."""
    return {
        "invoice_id": f"{customer_id} {issued}",
        "customer_id": customer_id,
        "invoice_type": "invoice",
        "issued_at": at(issued),
        "due_at": at(issued),
        "subtotal": Decimal(subtotal),
        "tax": Decimal(tax),
        "total": Decimal(subtotal) + Decimal(tax),
        "currency": currency,
        "status": "paid",
        "paid_at": at(issued),
        "updated_at": at(issued),
    }


def payment(customer_id: str, on: str, amount: str, status: str = "succeeded", **others: object) -> dict:
    """Return a payment by card for the invoice of the same day, unless ``others`` say otherwise."""
    usual = {
        "payment_id": f"{customer_id} {on} {status}",
        "invoice_id": f"{customer_id} {on}",
        "customer_id": customer_id,
        "attempted_at": at(on),
        "amount": Decimal(amount),
        "currency": "USD",
        "method": "card",
        "status": status,
        "attempt": 1,
    }
    return usual | others


def events(count: int, customer_id: str, user_id: str, on: str, event_type: str) -> list[dict]:
    """Return ``count`` events of one user on one day."""
    category, feature = FEATURES.get(event_type, (None, None))
    return [
        {
            "event_id": f"{user_id} {on} {event_type} {number}",
            "customer_id": customer_id,
            "user_id": user_id,
            "session_id": f"{user_id} {on}",
            "occurred_at": at(on),
            "event_date": day(on),
            "event_month": day(on).replace(day=1),
            "event_type": event_type,
            "event_category": category,
            "feature": feature,
            "outcome": "ok",
            "duration_seconds": 1.0,
        }
        for number in range(count)
    ]


def ticket(customer_id: str, opened: str, resolved: datetime, sentiment: float) -> dict:
    """Return a ticket of high priority, opened at noon and answered within two hours."""
    return {
        "ticket_id": f"{customer_id} {opened}",
        "customer_id": customer_id,
        "opened_at": at(opened),
        "first_responded_at": at(opened, hour=14),
        "resolved_at": resolved,
        "priority": "high",
        "status": "resolved",
        "escalated": False,
        "sentiment_score": sentiment,
        "updated_at": resolved,
    }


def spend(channel: str, month: str, amount: str) -> dict:
    """Return a month's programmes of a channel."""
    return {
        "spend_id": f"{channel} {month}",
        "month": day(month),
        "channel": channel,
        "amount": Decimal(amount),
        "currency": "USD",
    }


def expense(department: str, month: str, amount: str) -> dict:
    """Return a month's expense of a department."""
    return {
        "expense_id": f"{department} {month}",
        "month": day(month),
        "department": department,
        "amount": Decimal(amount),
        "currency": "USD",
    }


def at(text: str, hour: int = 12) -> datetime:
    """Return an hour of a day of 2026."""
    return datetime.combine(day(text), datetime.min.time()).replace(hour=hour)


CUSTOMERS = [
    *(customer(name, "organic_search") for name in STARTERS),
    *(customer(name, "outbound", employees=500, size="Mid-Market") for name in ANNUALS),
    *(customer(name, "referral") for name in REFERRED),
    *(customer(name, "direct") for name in (*OTHERS, *NEVER_PAID)),
    *(customer(name, "paid_search") for name in SEARCHED),
]

ANNUAL = {"plan_id": "business", "billing_interval": "year", "opportunity_id": "won by a rep"}
PROFESSIONAL = {"plan_id": "professional"}
ADD_ON = {"item_type": "add_on", "add_on_id": "storage", "change_type": "add_on"}

SUBSCRIPTIONS = [
    *(terms(name, "01-01") for name in STARTERS),
    *(terms(name, "01-01", amount="1200", **ANNUAL) for name in ANNUALS),
    terms("EURO", "01-01", "06-01", "200", currency="EUR", **PROFESSIONAL),
    terms("EURO", "06-01", None, "300", currency="EUR", change_type="seat_expansion", **PROFESSIONAL),
    terms("UP", "01-01", "03-15"),
    terms("UP", "03-15", None, "250", change_type="plan_upgrade", **PROFESSIONAL),
    terms("DOWN", "01-01", "04-01", "250", **PROFESSIONAL),
    terms("DOWN", "04-01", None, "100", change_type="plan_downgrade"),
    terms("LEFT", "01-01", "04-01", status="canceled", cancel_reason="price", canceled_at=at("02-20")),
    terms("BACK", "01-01", "03-01", status="canceled"),
    terms("BACK", "05-10", None, "150", change_type="reactivation"),
    terms("PAUSED", "01-01", "04-01"),
    terms("PAUSED", "04-01", None, status="paused", change_type="pause"),
    terms("DUE", "01-01", "05-01"),
    terms("DUE", "05-01", None, status="past_due", change_type="dunning"),
    terms("TWO", "01-01", None, subscription_item_id="TWO first"),
    terms("TWO", "01-01", "05-01", subscription_item_id="TWO second", status="canceled"),
    terms("ADD", "01-01"),
    terms("ADD", "02-01", None, "50", **ADD_ON),
    terms("ADD", "02-10", None, "900", item_type="one_time", add_on_id="onboarding"),
    terms("QUARTER", "01-01", None, "300", interval_count=3),
    terms("COUPON", "01-01", "04-01", "60", list_amount=Decimal(100), discount_amount=Decimal(40)),
    terms("COUPON", "04-01", None, "100", change_type="discount_end"),
    # Corrected on the next day: the newest version wins.
    terms("FIXED", "01-01", None, "500", subscription_item_id="FIXED"),
    terms("FIXED", "01-01", None, "100", subscription_item_id="FIXED", updated_at=datetime(2026, 1, 2)),
    terms("UNPAID", "01-01", "02-01"),
    terms("UNPAID", "02-01", "03-01", status="past_due", change_type="dunning"),
    terms("UNPAID", "03-01", None, status="unpaid", change_type="dunning"),
    terms("WEEK", "02-01", None, "12", billing_interval="week"),
    terms("FLASH", "02-05", "02-20", "300", status="canceled"),
    terms("TRIAL", "05-01", None, status="trialing", change_type="trial"),
    terms("FREE", "01-01", None, "0"),
    terms("LATER", "07-01"),
    # It ends before it starts, so it is no terms at all.
    terms("FREE", "03-01", "02-01", "999"),
]

# Nobody used the product before June: a dollar for each customer served. In June a dollar an event.
HOSTING = {"01-01": "38", "02-01": "40", "03-01": "37", "04-01": "35", "05-01": "36", "06-01": "40"}

RECORDS: dict[str, list[dict]] = {
    "bronze.customers": CUSTOMERS,
    "bronze.subscriptions": SUBSCRIPTIONS,
    "bronze.plans": [
        {"plan_id": name.lower(), "plan_name": name, "tier_rank": rank, "valid_from": day("01-01")}
        for rank, name in enumerate(("Starter", "Professional", "Business", "Enterprise"), start=1)
    ],
    "bronze.exchange_rates": [
        {"currency": "EUR", "rate_date": day("01-01").replace(year=2025), "rate": Decimal("1.10")},
        {"currency": "EUR", "rate_date": day("03-31"), "rate": Decimal("1.20")},
        {"currency": "EUR", "rate_date": day("06-30"), "rate": Decimal("1.25")},
    ],
    # Nobody came by paid_search in January, and nobody at all after February.
    "bronze.marketing_spend": [
        spend("organic_search", "01-01", "1000"),
        spend("paid_search", "01-01", "500"),
        spend("referral", "01-01", "100"),
        spend("paid_search", "02-01", "300"),
        spend("paid_search", "03-01", "200"),
    ],
    "bronze.expenses": [
        expense("marketing", "01-01", "800"),
        expense("marketing", "02-01", "300"),
        expense("sales", "01-01", "2000"),
        expense("sales", "02-01", "500"),
        expense("sales", "03-01", "600"),
        *(expense("cogs_hosting", month, cost) for month, cost in HOSTING.items()),
        expense("cogs_support", "06-01", "20"),
        expense("research_development", "01-01", "9999"),
    ],
    "bronze.invoices": [
        *(invoice("S01", month, "100", "10") for month in HOSTING),
        invoice("EURO", "02-15", "200", "20", currency="EUR"),
    ],
    "bronze.payments": [
        *(payment("S01", month, "110") for month in list(HOSTING)[:5]),
        payment("S01", "06-01", "110", "failed"),
        payment("S01", "06-03", "110", invoice_id="S01 06-01", attempt=2),
        payment("S01", "06-20", "55", "refunded", invoice_id="S01 06-01"),
        payment("S01", "07-01", "110"),
        payment("EURO", "02-15", "220", currency="EUR", method="wire"),
    ],
    "bronze.usage_events": [
        *events(10, "S01", "ann", "06-10", "dashboard_viewed"),
        *events(5, "S01", "ann", "06-10", "report_generated"),
        *events(5, "S01", "bob", "06-10", "login"),
        *events(10, "S01", "ann", "06-20", "api_call"),
        *events(10, "EURO", "eva", "06-20", "dashboard_viewed"),
        # One was sent twice, and some come after the as-of day.
        *events(1, "EURO", "eva", "06-20", "dashboard_viewed"),
        *events(7, "EURO", "eva", "07-01", "dashboard_viewed"),
    ],
    "bronze.support_interactions": [
        # Thirty hours for a target of 24, and six.
        ticket("S01", "06-28", datetime(2026, 6, 29, 18), sentiment=-0.5),
        ticket("UP", "06-28", datetime(2026, 6, 28, 18), sentiment=0.5),
    ],
}
