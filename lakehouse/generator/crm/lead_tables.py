"""The CRM's records of leads, accounts, people, touches and activities: columns by name, and when each row is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.company import REPORTING_CURRENCY
from lakehouse.generator.crm.accounts import Accounts, AccountVersions, Contacts
from lakehouse.generator.crm.activities import Activities
from lakehouse.generator.crm.clock import Clock, one_after_another
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.ids import account_ids, contact_ids, lead_ids, opportunity_ids, rep_ids
from lakehouse.generator.crm.leads import ACCEPTED, CONVERTED, DISQUALIFIED, QUALIFIED, WORKING, Leads
from lakehouse.generator.crm.owners import NEVER, month_of
from lakehouse.generator.crm.tables import Rows
from lakehouse.generator.crm.touches import Touches
from lakehouse.generator.draws import choice
from lakehouse.generator.finance import campaign_ids
from lakehouse.generator.months import Months
from lakehouse.generator.names import company_names, contacts
from lakehouse.generator.outbox import NONE
from lakehouse.generator.records import money, null_where
from lakehouse.generator.streams import Floats, Ints, stream, words
from lakehouse.generator.world import World
from lakehouse.vocabulary import (
    ACCOUNT_STATUSES,
    ACTIVITY_OUTCOMES,
    ACTIVITY_TYPES,
    CHANNELS,
    LEAD_STATUSES,
    SENIORITIES,
    TOUCH_TYPES,
)

_SENIORITY_SHARES = [0.25, 0.30, 0.22, 0.13, 0.10]  # assumption
_TITLES = ("Analyst", "Manager", "Director", "Vice President", "Chief Officer")
_FUNCTIONS = ("Data", "Finance", "Operations", "Marketing", "Sales", "Information Technology")
_TRIAL_EXPIRED = "trial_expired"  # the reason beside those of the parameters


def leads(world: World, months: Months, force: Force, *, rows: Leads, owner: Ints, deals: Deals) -> Rows:
    """Return ``bronze.leads``: a version of each step."""
    lead, status, at, when = _steps(world.clock, rows)

    def reached(of: int) -> pa.Array:
        return arrays.instants(np.minimum(when[lead, of], at), when[lead, of] > at)

    place = pa.array(lead)
    fixed = _lead_columns(world.clock, months, rows, owner, force)
    opportunity = null_where(rows.deal == NONE, opportunity_ids(deals.among(np.maximum(rows.deal, 0))))
    reasons = arrays.labels([*world.company.crm.disqualified, _TRIAL_EXPIRED], np.maximum(rows.reason, 0))
    return Rows(
        {name: column.take(place) for name, column in fixed.items()}
        | {
            "first_touched_at": reached(WORKING),
            "mql_at": reached(QUALIFIED),
            "sql_at": reached(ACCEPTED),
            "opportunity_id": null_where(when[lead, CONVERTED] > at, opportunity.take(place)),
            "status": arrays.labels(LEAD_STATUSES, status),
            "disqualified_reason": null_where(status != DISQUALIFIED, reasons.take(place)),
            "updated_at": arrays.instants(at),
        },
        at,
    )


def _steps(clock: Clock, rows: Leads) -> tuple[Ints, Ints, Ints, Ints]:
    """Return lead, status and moment of each version, and by lead and step when it was taken, else a far moment."""
    times = np.stack([rows.created, rows.touched, rows.qualified, rows.accepted, rows.converted, rows.ended], axis=1)
    lead, step = np.nonzero(times < NEVER)
    order = np.lexsort((step, times[lead, step], lead))
    lead, step = lead[order], step[order]
    at = one_after_another(lead, clock.moments(times[lead, step]))
    when = np.full(times.shape, 1 << 62)
    when[lead, step] = at
    begins = np.concatenate([[True], lead[1:] != lead[:-1]])[: len(lead)]
    # Who is called after marketing has qualified the lead does not set it back.
    status = np.maximum.accumulate(step + np.cumsum(begins) * len(LEAD_STATUSES)) % len(LEAD_STATUSES)
    return lead, status, at, when


def _lead_columns(clock: Clock, months: Months, rows: Leads, owner: Ints, force: Force) -> dict[str, pa.Array]:
    return {
        "lead_id": lead_ids(np.arange(len(rows))),
        "account_id": account_ids(rows.account),
        "contact_id": contact_ids(rows.account, np.zeros_like(rows.account)),
        "lead_source": arrays.labels(CHANNELS, rows.channel),
        "campaign_id": _campaigns(clock, months, rows.created, rows.channel, rows.campaign),
        "owner_rep_id": rep_ids(force).take(pa.array(owner)),
        "created_at": arrays.instants(clock.moments(rows.created)),
    }


def accounts(world: World, rows: Accounts, versions: AccountVersions, force: Force) -> Rows:
    """Return ``bronze.accounts``."""
    countries = list(world.company.countries)
    regions = [country.region for country in world.company.countries.values()]
    columns = {
        "account_id": account_ids(rows.account),
        "account_name": company_names(world.source, rows.account),
        "parent_account_id": account_ids(rows.parent),
        "industry": arrays.labels(list(world.company.industries), rows.industry),
        "employee_count": pa.array(rows.employees.astype(np.int32)),
        "annual_revenue": money(rows.revenue * 100),
        "currency": pa.repeat(REPORTING_CURRENCY, len(rows.account)),
        "region": arrays.labels(regions, rows.country),
        "country": arrays.labels(countries, rows.country),
        "created_at": arrays.instants(world.clock.moments(rows.created)),
    }
    return Rows(
        {name: column.take(pa.array(versions.place)) for name, column in columns.items()}
        | {
            "status": arrays.labels(ACCOUNT_STATUSES, versions.status),
            "owner_rep_id": rep_ids(force).take(pa.array(versions.owner)),
            "updated_at": arrays.instants(versions.at),
        },
        versions.at,
    )


def people(world: World, rows: Contacts) -> Rows:
    """Return ``bronze.contacts``."""
    regions = [country.region for country in world.company.countries.values()]
    name, email = contacts(world.source, rows.account, rows.number)
    level = choice(world.source.uniform("crm/seniority", rows.account, rows.number), _SENIORITY_SHARES)
    function = world.source.uniform("crm/function", rows.account, rows.number) * len(_FUNCTIONS)
    titles = [f"{title}, {function}" for title in _TITLES for function in _FUNCTIONS]
    return Rows(
        {
            "contact_id": contact_ids(rows.account, rows.number),
            "account_id": account_ids(rows.account),
            "full_name": name,
            "title": arrays.labels(titles, level * len(_FUNCTIONS) + function.astype(np.int64)),
            "seniority": arrays.labels(SENIORITIES, level),
            "region": arrays.labels(regions, rows.country),
            "email": email,
            "created_at": arrays.instants(rows.at),
        },
        rows.at,
    )


def marketing_events(world: World, months: Months, rows: Touches, leads: Leads) -> Rows:
    """Return ``bronze.marketing_events``."""
    return Rows(
        {
            "touch_id": arrays.hex_ids(
                words(stream(world.source.seed, "crm/touch_id"), leads.key[rows.lead], rows.place)
            ),
            "lead_id": lead_ids(rows.lead),
            "account_id": account_ids(leads.account[rows.lead]),
            "campaign_id": _campaigns(world.clock, months, rows.time, rows.channel, rows.campaign),
            "channel": arrays.labels(CHANNELS, rows.channel),
            "touch_type": arrays.labels(TOUCH_TYPES, rows.touch_type),
            "occurred_at": arrays.instants(rows.at),
        },
        rows.at,
    )


def activities(world: World, rows: Activities, deals: Deals, force: Force) -> Rows:
    """Return ``bronze.activities``."""
    key = words(stream(world.source.seed, "crm/activity_id"), rows.key, rows.place)
    opportunity = opportunity_ids(deals).take(pa.array(np.maximum(rows.deal, 0)))
    return Rows(
        {
            "activity_id": arrays.hex_ids(key),
            "opportunity_id": null_where(rows.deal == NONE, opportunity),
            "account_id": account_ids(rows.account),
            "contact_id": contact_ids(rows.account, rows.number),
            "rep_id": rep_ids(force).take(pa.array(rows.rep)),
            "activity_type": arrays.labels(ACTIVITY_TYPES, rows.kind),
            "occurred_at": arrays.instants(rows.at),
            "duration_minutes": pa.array(rows.minutes.astype(np.int32), mask=rows.minutes == NONE),
            "outcome": arrays.labels(ACTIVITY_OUTCOMES, rows.outcome),
        },
        rows.at,
    )


def _campaigns(clock: Clock, months: Months, time: Floats, channel: Ints, campaign: Ints) -> pa.Array:
    number = arrays.month_index(months.dates[0]) + month_of(months, clock.days(time).astype(np.float64))
    return null_where(campaign == NONE, campaign_ids(number, channel, np.maximum(campaign, 0)))
