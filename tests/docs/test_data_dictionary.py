"""The data dictionary is what the declarations say today."""

from __future__ import annotations

from lakehouse.dictionary import PAGE, rendered
from lakehouse.registry import Job, jobs
from lakehouse.table import Column, Table


def test_the_page_is_current():
    """Write it anew with `python -m lakehouse.dictionary`."""
    assert rendered(jobs()) == PAGE.read_text(encoding="utf-8")


def test_a_column_is_described_with_all_that_it_declares(tmp_path):
    columns = (
        Column("kind", "string", "Kind | of thing", nullable=False, values=("a", "b")),
        Column("share", "double", "Share", minimum=0, maximum=1),
        Column("email", "string", "Address", personal=True),
        Column("company", "string", "Firm", identifying=True),
    )
    table = Table(
        name="gold.things", description="Things:\none row per thing.", grain="thing", key=("kind",), columns=columns
    )
    page = rendered({table.name: Job(table, None, tmp_path)})
    assert "Things: one row per thing." in page
    assert "| `kind` | string |  | a, b | Kind \\| of thing |" in page
    assert "| `share` | double | yes | 0 to 1 | Share |" in page
    assert "| `email` | string | yes |  | Address (*personal*) |" in page
    assert "| `company` | string | yes |  | Firm (*identifying*) |" in page
