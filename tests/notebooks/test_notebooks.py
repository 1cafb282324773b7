"""The notebooks run from top to bottom on a published lake, and are committed without results."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from lakehouse.project import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
FIGURE = "application/vnd.plotly.v1+json"

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_a_notebook_runs_and_draws(path, small_lake, monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(small_lake.root))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    figures = [
        output["data"][FIGURE]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if FIGURE in output.get("data", {})
    ]
    assert len(figures) >= 10
    assert all(figure["data"] for figure in figures), "a figure without a trace"


def test_a_notebook_is_committed_without_results(path):
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(path))


def test_a_notebook_starts_no_spark(path):
    assert not [cell for cell in code_cells(path) if "spark" in cell.source.lower()]
