"""The lists of values that several tables share."""

from __future__ import annotations

CHANNELS = (
    "organic_search",
    "paid_search",
    "paid_social",
    "content",
    "referral",
    "partner",
    "outbound",
    "events",
    "direct",
)

COMPANY_SIZES = ("Startup", "Small", "Mid-Market", "Enterprise")

SEGMENTS = ("SMB", "Mid-Market", "Enterprise")

PLAN_NAMES = ("Starter", "Professional", "Business", "Enterprise")

BILLING_CADENCES = ("monthly", "quarterly", "annual", "multi_year", "weekly", "daily")

CHANGE_TYPES = (
    "initial",
    "trial",
    "conversion",
    "seat_expansion",
    "seat_contraction",
    "plan_upgrade",
    "plan_downgrade",
    "cadence_change",
    "price_change",
    "add_on",
    "discount_start",
    "discount_end",
    "pause",
    "resume",
    "dunning",
    "renewal",
    "reactivation",
)

EVENT_CATEGORIES = ("dashboards", "data", "reports", "collaboration", "advanced")

# The category of each event type; logging in and setting up are not a feature.
EVENT_TYPE_CATEGORIES: dict[str, str | None] = {
    "login": None,
    "onboarding_step": None,
    "dashboard_created": "dashboards",
    "dashboard_viewed": "dashboards",
    "data_source_connected": "data",
    "report_generated": "reports",
    "comment_added": "collaboration",
    "dashboard_shared": "collaboration",
    "advanced_analytics_run": "advanced",
    "api_call": "advanced",
}

EVENT_TYPES = tuple(EVENT_TYPE_CATEGORIES)

DEPARTMENTS = (
    "cogs_hosting",
    "cogs_support",
    "sales",
    "marketing",
    "research_development",
    "general_administrative",
)

STAGES = ("prospecting", "discovery", "proposal", "negotiation", "closed_won", "closed_lost")

OPPORTUNITY_TYPES = ("new_business", "expansion", "renewal")

LEAD_STATUSES = ("new", "working", "mql", "sql", "converted", "disqualified")

TOUCH_TYPES = ("webinar", "form", "paid_click", "content", "event")

SENIORITIES = ("individual", "manager", "director", "vp", "c_level")

ACTIVITY_TYPES = ("email", "call", "meeting", "demo")

ACTIVITY_OUTCOMES = ("replied", "no_reply", "connected", "voicemail", "held", "no_show")

ACCOUNT_STATUSES = ("prospect", "customer", "churned")

REP_ROLES = ("BDR", "AE", "CSM")
