"""The ``lakehouse`` command.

Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 a check failed, 4 broken lake, 75 lake busy.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.markup import escape

from lakehouse.commands import compare, explain, ingest, look, quality, work
from lakehouse.console import errors
from lakehouse.failures import as_paragraph

EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 a check failed, 4 broken lake, 75 lake busy."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="From a SaaS company's raw records to unit economics. Add --debug to any command for the trace of a failure.",
    epilog=EXIT_CODES,
)
app.command()(work.run)
app.command()(work.generate)
app.command()(ingest.ingest)
app.command()(ingest.template)
app.command("graph")(look.show_graph)
app.command("tables")(look.show_tables)
app.command()(look.show)
app.command()(explain.explain)
app.command()(compare.compare_policies)
app.command()(work.export)
app.command()(quality.check)
app.add_typer(quality.quarantine, name="quarantine")
app.command()(look.runs)
app.command()(work.rollback)
app.command()(work.maintain)
app.command()(work.forget)
app.command()(look.fsck)
app.command()(look.doctor)
app.command()(work.setup)


def main() -> None:
    """Run the command."""
    # Parsing the project's own code, half of a run with nothing new, makes many objects and no garbage.
    gc.set_threshold(100_000, 50, 50)
    run_and_leave(app)


def run_and_leave(command: Callable[[], object]) -> NoReturn:
    """Run ``command`` and end the process with its exit code."""
    code: int | str | None = 0
    try:
        with in_words():
            command()
    except SystemExit as leaving:
        code = leaving.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Without ending the interpreter: after long runs with Spark that has aborted the process, with all work done.
    os._exit(code if isinstance(code, int) else int(code is not None))


@contextmanager
def in_words() -> Iterator[None]:
    """Turn a failure into one paragraph on standard error and an exit code; --debug lets the trace through."""
    is_debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    if not is_debug:
        # py4j logs the trace of every connection that fails before it raises the error.
        logging.disable(logging.ERROR)
    try:
        yield
    except Exception as error:
        if is_debug:
            raise
        failure = as_paragraph(error, "The command failed")
        errors.print(f"[red]✘[/] {escape(str(failure))}", soft_wrap=True)
        raise SystemExit(failure.exit_code) from error
