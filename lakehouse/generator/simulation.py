"""The simulation: one month after another, and the records of each as they became known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator import arrays
from lakehouse.generator.catalogue import add_ons, plans
from lakehouse.generator.company import Company
from lakehouse.generator.crm.crm import Crm
from lakehouse.generator.dirt import Delays, Planted, Soil
from lakehouse.generator.faults import EVENTS
from lakehouse.generator.finance import Finance
from lakehouse.generator.months import Months
from lakehouse.generator.records import BY_TABLE
from lakehouse.generator.roster import Roster
from lakehouse.generator.state import MonthState
from lakehouse.generator.step import step
from lakehouse.generator.support import month_tickets
from lakehouse.generator.surveys import month_surveys
from lakehouse.generator.traffic import month_traffic
from lakehouse.generator.truth import month_of_truth
from lakehouse.generator.usage import month_events
from lakehouse.generator.users import ProductState, month_users
from lakehouse.generator.world import World

# When each record of the product half became known; the others wait in the outbox.
_KNOWN = {
    "bronze.users": "updated_at",
    "bronze.support_interactions": "updated_at",
    "bronze.nps_responses": "responded_at",
    "bronze.web_traffic": "traffic_date",
    EVENTS: "occurred_at",
}
_LONG_AGO = 0  # a day before everything
_PLANNING_MONTHS = 12  # costs look ahead, and the trials of the month after the last have begun


@dataclass(frozen=True)
class MonthBatch:
    """What became known in a month: ``tables`` by name, ``events`` lazily and to be read before the next batch.

    ``truth`` is complete for every month, also those whose records were asked to be left out. ``planted`` tells the
    dirt among the records, that of the events once they are read.
    """

    month: date
    tables: Mapping[str, pa.Table]
    events: Iterator[pa.RecordBatch]
    truth: Mapping[str, pa.Table]
    planted: Planted


@dataclass(frozen=True)
class _Window:
    """The days whose records are wanted, since 1970 and inclusive."""

    first: int
    last: int

    def within(self, first: int, last: int) -> _Window:
        return _Window(max(first, self.first), min(last, self.last))

    @property
    def is_empty(self) -> bool:
        return self.last < self.first

    @property
    def bounds(self) -> tuple[int, int]:
        """The first microsecond, and the first one after."""
        return self.first * arrays.MICROSECONDS_PER_DAY, (self.last + 1) * arrays.MICROSECONDS_PER_DAY


def simulate(
    company: Company,
    seed: int,
    *,
    customers: int,
    months: int,
    through: date,
    after: date | None = None,
    schemas: Mapping[str, pa.Schema],
    dirt: bool = False,
) -> Iterator[MonthBatch]:
    """Yield, month by month, what the company's systems know at the end of ``through`` and did not at that of ``after``.

    ``customers`` are won by the end of the first ``months``: the two set the curve of arrivals, on which ``through`` may
    go on. Every value follows from ``seed``: the rows of two calls that meet at a day are those of one call over both.
    ``schemas`` has the columns of each bronze table by its full name. With ``dirt`` soiled copies stand beside the sound
    rows and some events are late; but for what has not arrived yet, the sound rows are the same.
    """
    count = arrays.month_index(through) - arrays.month_index(company.scale.start_month) + 1
    calendar = Months.of(company.scale.start_month, max(count, months) + _PLANNING_MONTHS)
    window = _Window(_LONG_AGO if after is None else arrays.day_number(after) + 1, arrays.day_number(through))
    soil = Soil(company.dirt, seed, int(calendar.first_day[0])) if dirt else None
    delays = Delays(company.dirt, seed) if dirt else None
    world, crm = World.of(company, seed, customers, months, calendar), Crm.of(company, seed, customers, months, count)
    company_now = _Company(company, seed, world, crm, schemas, soil=soil, delays=delays)
    finance = Finance(company, world.source, calendar, customers, months)
    for month in range(count):
        # What is older than the company, such as its first leads, comes with its first month.
        whole = _Window(int(calendar.first_day[month]) if month else _LONG_AGO, int(calendar.first_day[month + 1]) - 1)
        yield company_now.live(month, finance, whole, window.within(whole.first, whole.last))


@dataclass
class _Company:
    """The company while it is simulated."""

    company: Company
    seed: int
    world: World
    crm: Crm
    schemas: Mapping[str, pa.Schema]
    product: ProductState = field(default_factory=ProductState.empty)
    soil: Soil | None = None
    delays: Delays | None = None

    def live(self, month: int, finance: Finance, whole: _Window, span: _Window) -> MonthBatch:
        """Live through the month, ``whole``, and return what became known on the days of ``span``."""
        world = self.world
        happened = step(world, month)
        state = world.accounts.month_state(world.months, month, world.people)
        roster, product_tables = self._use_product(month, state, finance)
        tables = {f"bronze.{name}": rows for name, rows in self._records(month, span).items()}
        tables |= self._finances(month, state, finance, span)
        if not span.is_empty:
            tables |= {
                f"bronze.{name}": arrays.table(self.schemas[f"bronze.{name}"], rows)
                for name, rows in self.crm.known(*span.bounds).items()
            }
        tables |= {name: _within(rows, _KNOWN[name], span) for name, rows in product_tables.items()}
        planted: Planted = []
        if self.soil is not None:
            tables = {name: self.soil.soiled(name, rows, planted) for name, rows in tables.items()}
        events = self._events(month, roster, span, planted)
        truth = month_of_truth(world, month, happened) | self.crm.truth(*whole.bounds)
        return MonthBatch(world.months.dates[month], tables, events, truth, planted)

    def _use_product(self, month: int, state: MonthState, finance: Finance) -> tuple[Roster, dict[str, pa.Table]]:
        users, roster, product = month_users(
            self.company, self.seed, state, self.product, schema=self.schemas["bronze.users"]
        )
        tickets, self.product = month_tickets(
            self.company, self.seed, roster, product, schema=self.schemas["bronze.support_interactions"]
        )
        answers = month_surveys(self.company, self.seed, roster, schema=self.schemas["bronze.nps_responses"])
        traffic = month_traffic(
            self.company,
            self.seed,
            state.month,
            float(finance.planned_wins[month]),
            schema=self.schemas["bronze.web_traffic"],
        )
        return roster, {
            "bronze.users": users,
            "bronze.support_interactions": tickets,
            "bronze.nps_responses": answers,
            "bronze.web_traffic": traffic,
        }

    def _events(self, month: int, roster: Roster, span: _Window, planted: Planted) -> Iterator[pa.RecordBatch]:
        # Before the span only events that may arrive in it count.
        if span.first - span.last > (self.company.dirt.late_days if self.delays else 0):
            return
        made = month_events(self.company, self.seed, roster, schema=self.schemas[EVENTS])
        events = (pa.Table.from_batches([batch]) for batch in made)
        if self.soil is None or self.delays is None:
            for rows in events:
                yield from _within(rows, _KNOWN[EVENTS], span).to_batches()
            return
        month_end = int(self.world.months.first_day[month + 1]) - 1
        for rows in self.delays.arriving(events, (span.first, span.last), month_end, planted):
            yield from self.soil.soiled(EVENTS, rows, planted).to_batches()

    def _records(self, month: int, span: _Window) -> dict[str, pa.Table]:
        """Return the records of the customers' lives; what is known before the span is dropped for good."""
        end_of_month = int(self.world.months.first_day[month + 1]) * arrays.MICROSECONDS_PER_DAY
        first, end = span.bounds
        tables = {}
        for name, as_record in BY_TABLE.items():
            rows = self.world.outbox.take(name, end_of_month - 1)
            if rows is not None and not span.is_empty:
                is_wanted = (rows["known_at"] >= first) & (rows["known_at"] < end)
                record = as_record(self.world, {column: values[is_wanted] for column, values in rows.items()})
                tables[name] = arrays.table(self.schemas[f"bronze.{name}"], record)
        return tables

    def _finances(self, month: int, state: MonthState, finance: Finance, span: _Window) -> dict[str, pa.Table]:
        if span.is_empty:
            return {}
        columns = {
            "bronze.exchange_rates": finance.exchange_rates(max(span.first, finance.rates_from), span.last),
            "bronze.plans": plans(self.company, self.world.months, span.first, span.last),
            "bronze.add_ons": add_ons(self.company, self.world.months, span.first, span.last),
        }
        if span.last + 1 == self.world.months.first_day[month + 1]:
            mrr = float(self.world.monthly_dollars(self.world.accounts.paying()).sum())
            columns["bronze.marketing_spend"] = finance.marketing_spend(month)
            columns["bronze.expenses"] = finance.expenses(month, state, mrr)
        return {name: arrays.table(self.schemas[name], rows) for name, rows in columns.items()}


def _within(rows: pa.Table, known: str, span: _Window) -> pa.Table:
    """Return the rows that became known on the days of the span, by their column ``known``."""
    day = rows[known].cast(pa.date32()).cast(pa.int32())
    return rows.filter(pc.and_(pc.greater_equal(day, span.first), pc.less_equal(day, span.last)))
