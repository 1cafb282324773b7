"""The page that lists what can be explained: ``python -m lakehouse.explain.reference`` writes ``docs/explain.md``."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.explain.sources import ALSO_CALLED, Figure, Source, reasons, sources
from lakehouse.project import PROJECT

PAGE = PROJECT / "docs" / "explain.md"

INTRODUCTION = """\
# Explain a number

```
lakehouse explain nrr --month 2026-03 --segment Enterprise
lakehouse explain nrr --month 2026-03 --segment Enterprise --customer C0000751
lakehouse explain quick_ratio --dimension plan --value Business --json
lakehouse explain bookings.arr --month 2026-03 --dimension order_type --value new
lakehouse explain pipeline_closing --quarter 2026-Q1 --dimension segment --value Enterprise
```

The command starts at a published number and walks down to what was received, without a JVM:

1. the number, its definition and policy, the table and version that publish it;
2. the parts above and below the line, with what each is, and whether they add up to the number;
3. the customers behind the parts; of orders and opportunities the accounts, of quotas the reps, of leads and spend the
   campaigns. Who moves the number most comes first; what stands above and below the line alike, such as the opening MRR
   of a retention, moves nothing. `--top` says how many are shown, the others are one line;
4. of recurring revenue their movements, from `silver.customer_months`;
5. their rows: the terms held at either end of the period or in between, each with the MRR that it is worth at the ends,
   or the payments, invoices, tickets, orders, opportunities and their changes, leads or spend that count;
6. the rows received for each of these in bronze, by `_source`, `_batch_id` and `_row`: `kept`, `superseded` by a newer
   version, or `rejected` (`silver.quarantine` has the reason).

`--customer` follows one customer, `--only` is the same for an account, a rep or a campaign; `--json` gives the whole
tree with everybody and every row. The sums are computed anew from the rows of the published run. They must come to what
is published: a sum to the last place, a quotient to the ninth decimal (or the cent). The MRR of each customer's terms
must come to the ledger's, to the cent; this is left out where the policy `board` is changed so that MRR is more than the
terms that count on a day at its rate. If anything differs, the command says what and ends with exit code 1.

METRIC is the name of a metric in [metrics.md](metrics.md) or of a published column, `table.column` where several tables
have one. For short, {aliases};
what has that very name comes first.

Without `--month`, `--quarter` or `--day` it is the last complete one. `--segment Enterprise` is short for
`--dimension segment --value Enterprise`; both options may be repeated where a table has several columns to narrow by. A
table that is *added up over* columns has no row for all of their values: what is not narrowed is the sum of its rows, or
the quotient of their sums. Of several numbers of one name it is the first below that can be narrowed in the way that was
asked for.

What is no sum over rows and no ratio of such sums, such as a median, a score or an estimate of survival, cannot be taken
apart; the command says why and where it stands. The last table lists these measures.
"""


def rendered(known: Sequence[Source]) -> str:
    """Return the page: how to ask, then every number that can be explained, by its table."""
    aliases = ", ".join(f"`{short}` is `{name}`" for short, name in ALSO_CALLED.items())
    by_table: dict[str, list[Source]] = {}
    for source in known:
        by_table.setdefault(source.table, []).append(source)
    tables = (_table(name, each) for name, each in by_table.items())
    return "\n".join([INTRODUCTION.format(aliases=aliases), *tables, _left()])


def _table(name: str, known: list[Source]) -> str:
    return "\n".join([f"## {name}\n", *map(_figures, known)])


def _figures(source: Source) -> str:
    figures = [Figure(source, column) for column in source.metrics]
    rows = [f"| `{_name(figure)}` | {figure.formula.text} |" for figure in figures]
    return "\n".join([f"{_narrowed(source)}\n", "| number | is |", "|---|---|", *rows, ""])


def _left() -> str:
    by_reason: dict[str, list[str]] = {}
    for place, reason in reasons().items():
        by_reason.setdefault(reason, []).append(f"`{place}`")
    rows = [f"| {reason} | {', '.join(places)} |" for reason, places in by_reason.items()]
    told = "Of a whole table, what is not listed above."
    return "\n".join(["## Not taken apart\n", f"{told}\n", "| since it is | stands in |", "|---|---|", *rows, ""])


def _name(figure: Figure) -> str:
    return figure.metric.name if figure.metric else figure.column


def _narrowed(source: Source) -> str:
    needed = [name for name, value in source.columns.items() if value is None]
    optional = [name for name, value in source.columns.items() if value is not None]
    said = [f"Of a {source.length}" if source.length else "As of the as-of day"]
    said += (
        [f"of one {' and one '.join(needed)}".replace("one customer_id", "one customer (`--customer`)")]
        if needed
        else []
    )
    said += [f"narrowed by {' and '.join(optional)}"] if optional else []
    said += [f"narrowed by one of {', '.join(source.dimensions)}"] if source.dimensions else []
    said += [f"added up over {', '.join(source.slices)}"] if source.slices else []
    said += [f"by {source.of}"] if source.of != "customer" else []
    return f"{'; '.join(said)}."


if __name__ == "__main__":
    PAGE.write_text(rendered(sources()), encoding="utf-8")
