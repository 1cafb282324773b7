"""Invoices and how they are paid: attempts, retries, refunds, credit notes, write-offs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.accounts import Accounts, leaning
from lakehouse.generator.arrays import MICROSECONDS_PER_DAY
from lakehouse.generator.company import Company
from lakehouse.generator.draws import choice, log_normal
from lakehouse.generator.outbox import NONE, Outbox, batch_moment, business_moment
from lakehouse.generator.population import ACH, PAYPAL, Population
from lakehouse.generator.strata import Systematic
from lakehouse.generator.streams import Ints, Source, stream
from lakehouse.vocabulary import SEGMENTS

OPEN, PAID, VOID, UNCOLLECTIBLE = range(4)
SUCCEEDED, FAILED, REFUNDED = range(3)
INVOICE, CREDIT_NOTE = range(2)

INVOICE_STATUSES = ("open", "paid", "void", "uncollectible")
PAYMENT_STATUSES = ("succeeded", "failed", "refunded")
INVOICE_TYPES = ("invoice", "credit_note")

_ATTEMPT_DELAY = 5 * 60 * 1_000_000  # microseconds from issue to the charge of a card
_DAYS_TO_VOID = 2
_REFUND_PARTS = np.array([1.0, 0.5, 0.25])
_REFUND_SHARES = [0.4, 0.3, 0.3]


@dataclass(frozen=True)
class Bill:
    """What is billed: one element per invoice; days since 1970, cents before tax, ``order`` NONE without one."""

    who: Ints
    day: Ints
    until: Ints
    cents: Ints
    order: Ints

    def among(self, chosen: NDArray[np.bool_] | Ints) -> Bill:
        """Return the bills that are chosen."""
        return Bill(self.who[chosen], self.day[chosen], self.until[chosen], self.cents[chosen], self.order[chosen])


@dataclass(frozen=True)
class Outcome:
    """How the bills were paid: ``settled`` is the day of payment, NONE when there is none; both for each bill."""

    has_failed: NDArray[np.bool_]
    settled: Ints


class Billing:
    """Writes invoices and payments; numbers them by customer."""

    def __init__(
        self, company: Company, source: Source, people: Population, accounts: Accounts, outbox: Outbox
    ) -> None:
        self._rules = company.payments
        self._source = source
        self._people = people
        self._accounts = accounts
        self._outbox = outbox
        self._invoices = np.zeros(len(people.plan), dtype=np.int64)
        self._charged = np.zeros(len(people.plan), dtype=np.int64)  # the last invoice that was no credit note
        self._payments = np.zeros(len(people.plan), dtype=np.int64)
        self._first_failures = Systematic(stream(source.seed, "card_failure"), len(SEGMENTS))
        self._losses = Systematic(stream(source.seed, "not_recovered"), len(SEGMENTS))

    def charge(self, bill: Bill, *, may_be_lost: bool) -> Outcome:
        """Issue and collect the bills; when not ``may_be_lost``, every failed charge is recovered in the end."""
        invoice = self._issue(bill, bill.day)
        self._reissue_some(bill, invoice)
        outcome = Outcome(np.zeros(len(bill.who), dtype=np.bool_), np.full(len(bill.who), NONE))
        by_card = self._people.method[bill.who] <= PAYPAL
        self._charge_cards(invoice, np.flatnonzero(by_card), outcome, may_be_lost=may_be_lost)
        self._await_transfers(invoice, np.flatnonzero(~by_card), outcome)
        return outcome

    def credit(self, bill: Bill) -> None:
        """Give back an amount at once: a credit note, and a refund of the customer's last invoice."""
        known_at = business_moment(self._source, bill.day, bill.who)
        self._give_back(bill, known_at, self._charged[bill.who], self._tax(bill.who, bill.cents))

    def _issue(self, bill: Bill, day: Ints) -> dict[str, Ints]:
        self._invoices[bill.who] += 1
        self._charged[bill.who] = self._invoices[bill.who]
        on_terms = self._people.method[bill.who] > PAYPAL
        issued_at = batch_moment(self._source, day, bill.who)
        due_days = np.where(on_terms, self._rules.due_days, 0)
        invoice = {
            "customer": bill.who,
            "invoice": self._invoices[bill.who],
            "subscription": self._accounts.subscription[bill.who],
            "order": bill.order,
            "issued_at": issued_at,
            "due_at": issued_at + due_days * MICROSECONDS_PER_DAY,
            "period_start": bill.day,
            "period_end": bill.until,
            "subtotal": bill.cents,
            "tax": self._tax(bill.who, bill.cents),
        }
        self._version(invoice, issued_at, OPEN)
        return invoice

    def _reissue_some(self, bill: Bill, invoice: dict[str, Ints]) -> None:
        """Void a few invoices on terms, which had an error, and issue them again: ``invoice`` becomes the new one."""
        drawn = self._source.uniform("void", bill.who, invoice["invoice"])
        rows = np.flatnonzero((self._people.method[bill.who] > PAYPAL) & (drawn < self._rules.void))
        wrong = bill.among(rows)
        voided_at = business_moment(self._source, wrong.day + _DAYS_TO_VOID, wrong.who)
        self._version(_pick(invoice, rows), voided_at, VOID)
        for name, values in self._issue(wrong, wrong.day + _DAYS_TO_VOID + 1).items():
            invoice[name][rows] = values

    def _tax(self, who: Ints, cents: Ints) -> Ints:
        return np.rint(cents * self._people.tax[who]).astype(np.int64)

    def _charge_cards(self, invoice: dict[str, Ints], rows: Ints, outcome: Outcome, *, may_be_lost: bool) -> None:
        who = invoice["customer"][rows]
        probability = np.full(len(rows), self._rules.card_failure)
        fails = self._first_failures.choose(probability, self._people.segment[who], who)
        outcome.has_failed[rows] = fails
        retry = np.zeros(len(rows), dtype=np.int64)
        retry[fails] = self._successful_retry(invoice, rows[fails], may_be_lost=may_be_lost)
        days_after = np.array([0, *self._rules.retry_days])
        first_at = invoice["issued_at"][rows] + _ATTEMPT_DELAY
        for attempt, wait in enumerate(days_after):
            attempted_at = first_at + wait * MICROSECONDS_PER_DAY
            is_made = retry >= attempt
            succeeds = retry == attempt
            self._attempt(invoice, rows[is_made], attempted_at[is_made], attempt + 1, ~succeeds[is_made])
            self._settle(invoice, rows[succeeds], attempted_at[succeeds], outcome)
        lost = rows[retry == len(days_after)]
        written_off_at = invoice["issued_at"][lost] + (days_after[-1] + 1) * MICROSECONDS_PER_DAY
        self._version(_pick(invoice, lost), written_off_at, UNCOLLECTIBLE)
        self._refund_some(invoice, rows[retry == 0])

    def _successful_retry(self, invoice: dict[str, Ints], rows: Ints, *, may_be_lost: bool) -> Ints:
        """Return the number of the retry that succeeds, one beyond the last when none does."""
        who, number = invoice["customer"][rows], invoice["invoice"][rows]
        recovered = np.array(self._rules.recovered)
        loss = (1 - recovered.sum()) * leaning(self._rules.satisfaction_effect, -self._accounts.satisfaction[who])
        if may_be_lost:
            lost = self._losses.choose(np.minimum(loss, 0.95), self._people.segment[who], who)
        else:
            lost = np.zeros(len(who), dtype=np.bool_)
        retry = 1 + choice(self._source.uniform("retry", who, number), recovered / recovered.sum())
        return np.where(lost, len(recovered) + 1, retry)

    def _await_transfers(self, invoice: dict[str, Ints], rows: Ints, outcome: Outcome) -> None:
        who, number = invoice["customer"][rows], invoice["invoice"][rows]
        pay = self._rules.days_to_pay
        days = np.rint(log_normal(self._source.uniform("days_to_pay", who, number), pay.median, pay.sigma))
        issued_on = invoice["issued_at"][rows] // MICROSECONDS_PER_DAY
        paid_at = business_moment(self._source, issued_on + days.astype(np.int64), who)
        fate = self._source.uniform("transfer", who, number)
        never = fate < self._rules.write_off
        bounces = (fate > 1 - self._rules.ach_failure) & (self._people.method[who] == ACH)
        self._attempt(invoice, rows[bounces], paid_at[bounces], 1, np.ones(bounces.sum(), dtype=np.bool_))
        paid_at = paid_at + np.where(bounces, self._rules.retry_days[0] * MICROSECONDS_PER_DAY, 0)
        for attempt, group in ((1, ~never & ~bounces), (2, bounces)):
            self._attempt(invoice, rows[group], paid_at[group], attempt, np.zeros(group.sum(), dtype=np.bool_))
        self._settle(invoice, rows[~never], paid_at[~never], outcome)
        given_up_at = invoice["due_at"][rows[never]] + 90 * MICROSECONDS_PER_DAY
        self._version(_pick(invoice, rows[never]), given_up_at, UNCOLLECTIBLE)

    def _attempt(
        self, invoice: dict[str, Ints], rows: Ints, attempted_at: Ints, attempt: int, fails: NDArray[np.bool_]
    ) -> None:
        bill = _pick(invoice, rows)
        reason = choice(
            self._source.uniform("failure_reason", bill["customer"], bill["invoice"]),
            list(self._rules.failure_reasons.values()),
        )
        self._pay(
            bill["customer"],
            attempted_at,
            bill["invoice"],
            bill["subtotal"] + bill["tax"],
            status=np.where(fails, FAILED, SUCCEEDED),
            attempt=attempt,
            reason=np.where(fails, reason, NONE),
        )

    def _pay(
        self,
        who: Ints,
        known_at: Ints,
        invoice: Ints,
        cents: Ints,
        *,
        status: Ints | int,
        attempt: int,
        reason: Ints | int,
    ) -> None:
        self._payments[who] += 1
        self._outbox.add(
            "payments", known_at, customer=who, payment=self._payments[who], invoice=invoice, amount=cents,
            method=self._people.method[who], status=status, attempt=attempt, reason=reason,
        )  # fmt: skip

    def _settle(self, invoice: dict[str, Ints], rows: Ints, paid_at: Ints, outcome: Outcome) -> None:
        outcome.settled[rows] = paid_at // MICROSECONDS_PER_DAY
        self._version(_pick(invoice, rows), paid_at, PAID)

    def _refund_some(self, invoice: dict[str, Ints], rows: Ints) -> None:
        number = invoice["invoice"][rows]
        rows = rows[self._source.uniform("refund", invoice["customer"][rows], number) < self._rules.refund]
        paid = _pick(invoice, rows)
        who, number = paid["customer"], paid["invoice"]
        days = 1 + (self._source.uniform("refund_day", who, number) * self._rules.refund_days).astype(np.int64)
        known_at = business_moment(self._source, paid["period_start"] + days, who)
        part = _REFUND_PARTS[choice(self._source.uniform("refund_part", who, number), _REFUND_SHARES)]
        subtotal, tax = (np.rint(paid[name] * part).astype(np.int64) for name in ("subtotal", "tax"))
        self._give_back(
            Bill(who, paid["period_start"], paid["period_end"], subtotal, paid["order"]), known_at, number, tax
        )

    def _give_back(self, bill: Bill, known_at: Ints, original: Ints, tax: Ints) -> None:
        who = bill.who
        self._invoices[who] += 1
        note = {
            "customer": who,
            "invoice": self._invoices[who],
            "subscription": self._accounts.subscription[who],
            "order": bill.order,
            "issued_at": known_at,
            "due_at": known_at,
            "period_start": bill.day,
            "period_end": bill.until,
            "subtotal": bill.cents,
            "tax": tax,
        }
        self._version(note, known_at, PAID, kind=CREDIT_NOTE)
        self._pay(who, known_at, original, bill.cents + tax, status=REFUNDED, attempt=1, reason=NONE)

    def _version(self, invoice: dict[str, Ints], known_at: Ints, status: int, *, kind: int = INVOICE) -> None:
        paid_at = known_at if status == PAID else np.full_like(known_at, NONE)
        self._outbox.add("invoices", known_at, **invoice, kind=kind, status=status, paid_at=paid_at)


def _pick(invoice: dict[str, Ints], rows: Ints) -> dict[str, Ints]:
    return {name: values[rows] for name, values in invoice.items()}
