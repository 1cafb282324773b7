"""The rules that the layout rests on: one table a file, small files, layers that do not reach upwards."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import get_args

import pytest

from lakehouse import fingerprint
from lakehouse.audit import row_rules
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.rules import ParentCheck, WideRule, tables_beside

JOB_FILES = sorted(path for path in (PROJECT / "jobs").rglob("*.py") if path.stem != "__init__")
LIBRARY_FILES = sorted((PROJECT / "lakehouse").rglob("*.py"))


def imported_modules(path):
    tree = ast.parse(path.read_text())
    direct = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return direct | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("path", LIBRARY_FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_library_never_imports_a_job(path):
    assert not {module for module in imported_modules(path) if module.split(".")[0] == "jobs"}


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_job_reads_no_later_layer(path):
    later = {"bronze": ("jobs.silver", "jobs.gold"), "silver": ("jobs.gold",), "gold": ()}[path.parent.name]
    assert not {module for module in imported_modules(path) if module.startswith(later or ("none",))}


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_transform_touches_no_session_clock_or_disk(path):
    code = path.read_text()
    forbidden = r"SparkSession|current_date|current_timestamp|datetime\.now|\.collect\(|\w\.count\(\)|spark\.read|\bopen\(|F\.rand"
    assert not re.findall(forbidden, code)


def test_what_a_job_does_beside_declaring_its_table_fits_on_a_page():
    long = {str(path.relative_to(PROJECT)): lines for path in JOB_FILES if (lines := _lines_of_computation(path)) > 100}
    assert long == {}


def test_library_files_stay_readable():
    long = {str(path.relative_to(PROJECT)): lines for path in LIBRARY_FILES if (lines := _lines(path)) > 260}
    assert long == {}


@pytest.mark.parametrize("name", jobs(), ids=str)
def test_a_declaration_is_complete(name):
    table = jobs()[name].table
    names = set(table.column_names)
    assert len(names) == len(table.columns), "a column is declared twice"
    assert set(table.key) <= names
    assert table.by_month is None or table.by_month in names
    assert set(table.foreign_keys) <= names
    assert "one row per" in table.description
    assert all(column.description for column in table.columns)
    if table.layer != "bronze":
        assert not {column.name for column in table.columns if column.name in table.key and column.nullable}


@pytest.mark.parametrize("name", jobs(), ids=str)
def test_every_foreign_key_leads_to_a_table_and_its_column(name):
    for column, target in jobs()[name].table.foreign_keys.items():
        assert target in jobs(), f"{column} leads to {target}"
        assert len(jobs()[target].table.key) == 1, f"{target} has no single column that {column} could name"


@pytest.mark.parametrize("name", jobs(), ids=str)
def test_every_rule_has_a_name_of_its_own_and_reads_tables_that_exist(name):
    table = jobs()[name].table
    names = [rule.name for rule in (*row_rules(table), *table.wide_rules, *table.rejects)]
    assert len(names) == len(set(names))
    assert set().union(*map(tables_beside, table.wide_rules)) <= set(jobs())
    assert set(table.may_be_orphans) <= set(table.foreign_keys)
    parents = [rule.parent for rule in table.audits if isinstance(rule, ParentCheck)]
    assert all(list(table.foreign_keys.values()).count(parent) == 1 for parent in parents)


def test_rules_beyond_one_column_are_many_and_of_every_kind():
    tables = [job.table for job in jobs().values()]
    kinds = Counter(type(rule).__name__ for table in tables for rule in table.wide_rules)
    kinds["cross-column"] = sum(_reads_several_columns(check, table) for table in tables for check in table.checks)
    assert kinds.keys() == {kind.__name__ for kind in get_args(WideRule)} | {"cross-column"}
    assert kinds["cross-column"] >= 60
    assert kinds["Reconciliation"] >= 30
    assert kinds["ForeignKey"] >= 15
    assert kinds["Sequence"] >= 10
    assert sum(len(row_rules(table)) + len(table.wide_rules) + len(table.rejects) for table in tables) >= 700


def test_no_two_tables_are_exported_under_one_name():
    exported = [
        job.table.export_as or job.table.short_name
        for job in jobs().values()
        if job.table.layer == "gold" or job.table.export_as
    ]
    assert len(exported) == len(set(exported))


def test_the_graph_is_the_one_that_was_reviewed():
    """On purpose a file: a review sees every change of the graph. Write it anew with `python -m tests.snapshot`."""
    from tests.snapshot import SNAPSHOT, rendered

    assert rendered() == SNAPSHOT.read_text()


def test_no_address_stands_in_the_lock():
    assert "://" not in (PROJECT / "requirements.lock").read_text()


def test_a_job_depends_on_the_library_modules_that_it_imports_and_on_no_others():
    reached = {
        str(path.relative_to(PROJECT)) for path in fingerprint._reached([PROJECT / "jobs/silver/nps_responses.py"])
    }
    assert {"jobs/silver/nps_responses.py", "jobs/bronze/nps_responses.py", "lakehouse/cleaning.py"} <= reached
    assert not {file for file in reached if file.endswith(("runner.py", "cli.py", "export.py", "submit.py"))}


def _reads_several_columns(check, table):
    return sum(bool(re.search(rf"\b{name}\b", check.expression)) for name in table.column_names) > 1


def _lines_of_computation(path):
    """Lines outside the declaration: a wide table has a long one, and that is no fault."""
    statements = ast.parse(path.read_text()).body
    declaration = next(s for s in statements if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "table")
    return _lines(path) - (declaration.end_lineno - declaration.lineno + 1)


def _lines(path):
    return len(path.read_text().splitlines())
