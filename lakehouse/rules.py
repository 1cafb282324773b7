"""The kinds of rules that a table can declare; :mod:`lakehouse.audit` and :mod:`lakehouse.wide_audit` apply them.

Expressions are SQL over the columns of the table: Spark's in a :class:`Check`, DuckDB's in every other kind, where
``:as_of`` is the as-of day. A null does not pass a rule unless the rule says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

QUARANTINE = "silver.quarantine"

# Begins the _source of a row that a person corrected and released; the rest names the rejected row.
CORRECTION_OF = "correction of "

Severity = Literal["error", "warn", "info"]
Action = Literal["mark", "quarantine", "stop"]


@dataclass(frozen=True)
class Rule:
    """What every rule has: a name, how bad a failure is, what it does, and how many failures are allowed.

    A failure of severity error whose action is stop keeps the run from publishing; mark only reports it; quarantine
    sends the row to ``silver.quarantine``.
    """

    name: str
    severity: Severity = field(default="error", kw_only=True)
    action: Action = field(default="stop", kw_only=True)
    threshold: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a rule that would stop a run without being an error."""
        if self.action == "stop" and self.severity != "error":
            raise ValueError(f"{self.name}: only an error may stop a run; the action of a {self.severity} is mark")


@dataclass(frozen=True)
class Check(Rule):
    """A rule that each row must satisfy: ``expression`` must be true, not null."""

    expression: str


@dataclass(frozen=True)
class ForeignKey(Rule):
    """Each value of ``column`` that is not null is the key of a row of ``parent``."""

    column: str
    parent: str


@dataclass(frozen=True)
class ParentCheck(Rule):
    """A rule over a row and the row of ``parent`` to which its foreign key leads, whose columns bear the parent's name.

    Example: ``opened_at >= customers.signup_at`` with the parent ``silver.customers``. Rows without a parent are the
    foreign key's concern.
    """

    parent: str
    expression: str


@dataclass(frozen=True)
class Part:
    """An aggregate of another table, over the rows ``where`` and by the columns ``by`` (the rule's own by default)."""

    table: str
    expression: str
    where: str = "true"
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reconciliation(Rule):
    """In each group ``by`` the aggregate ``expression`` of this table equals, or is at most, the sum of the parts.

    A group that only one side has counts as 0 on the other; with ``own_groups`` those that only the parts have are left
    out. ``tolerance`` is the greatest difference that passes.
    """

    expression: str
    parts: tuple[Part, ...]
    by: tuple[str, ...] = ()
    where: str = "true"
    comparison: Literal["=", "<="] = "="
    tolerance: float = 0.0
    own_groups: bool = False


@dataclass(frozen=True)
class Constant(Rule):
    """The aggregate ``expression`` is the same in every group ``by`` that shares the values of ``within``."""

    expression: str
    by: tuple[str, ...]
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sequence(Rule):
    """A rule over a row and the one before it, ``previous``, among those ``where`` with the same ``within``.

    ``order`` must be total; ``previous`` is null before the first row.
    """

    expression: str
    order: tuple[str, ...]
    within: tuple[str, ...] = ()
    where: str = "true"


@dataclass(frozen=True)
class Received(Rule):
    """Each row of the bronze table ``source`` is kept or superseded (its key is here), quarantined, or not due yet.

    It is not due while ``known_from``, a date or a moment of it or of another version, is after the as-of day.
    """

    source: str
    known_from: str | None = None


@dataclass(frozen=True)
class Once(Rule):
    """No ``key`` is received twice; one that is, is superseded, so the rule only warns.

    What was released as the correction of a rejected row is no repetition of it, and keys in part null are not compared.
    """

    key: tuple[str, ...]
    severity: Severity = field(default="warn", kw_only=True)
    action: Action = field(default="mark", kw_only=True)


@dataclass(frozen=True)
class Timely(Rule):
    """Each row comes with the first delivery that reaches the day of its ``moment``, not after one that went further."""

    moment: str
    severity: Severity = field(default="warn", kw_only=True)
    action: Action = field(default="mark", kw_only=True)


@dataclass(frozen=True)
class Freshness(Rule):
    """The greatest ``moment`` of the table is at most ``days`` before the as-of day; an empty table is not stale."""

    moment: str
    days: int
    severity: Severity = field(default="warn", kw_only=True)
    action: Action = field(default="mark", kw_only=True)


@dataclass(frozen=True)
class Volume(Rule):
    """The number of rows is between ``least`` and ``most`` times that of the run that was published before."""

    least: float
    most: float
    severity: Severity = field(default="warn", kw_only=True)
    action: Action = field(default="mark", kw_only=True)


WideRule = (
    ForeignKey | ParentCheck | Reconciliation | Constant | Sequence | Received | Once | Timely | Freshness | Volume
)


def tables_beside(rule: WideRule) -> set[str]:
    """Return the tables that a rule reads besides the one that declares it."""
    if isinstance(rule, Reconciliation):
        return {part.table for part in rule.parts}
    if isinstance(rule, Received):
        return {rule.source, QUARANTINE}
    return {rule.parent} if isinstance(rule, ForeignKey | ParentCheck) else set()
