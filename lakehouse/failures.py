"""What Spark, Java and the operating system throw, as one paragraph for a person."""

from __future__ import annotations

import errno

from py4j.protocol import Py4JError, Py4JJavaError

from lakehouse.errors import BrokenLakeError, LakehouseError
from lakehouse.setup import LOGS

FULL_DISK = "No space left on device"
READ_ONLY = "Read-only file system"
# What Spark calls a table of which files are gone or damaged.
DAMAGED = ("FAILED_READ_FILE", "PATH_NOT_FOUND")


def as_paragraph(error: BaseException, what: str) -> LakehouseError:
    """Return ``error`` as the project's own, saying ``what`` failed; one that already is passes through."""
    if isinstance(error, LakehouseError):
        return error
    text = " ".join(str(error).split())
    return (
        _of_the_machine(error, text, what)
        or _of_the_tables(text, what)
        or LakehouseError(
            what,
            found=": ".join(filter(None, (type(error).__name__, _head(text)))),
            expected="no error",
            do=f"Add --debug for the whole trace; what Spark said is in {LOGS / 'spark.log'}. What is published stays readable.",
        )
    )


def _of_the_machine(error: BaseException, text: str, what: str) -> LakehouseError | None:
    number = getattr(error, "errno", None)
    if FULL_DISK in text or number == errno.ENOSPC:
        return LakehouseError(
            what,
            found="a full disk",
            expected="room for the new versions of the tables",
            do="Free some space and run again; what is published stays readable.",
        )
    if READ_ONLY in text or number == errno.EROFS:
        return LakehouseError(
            what,
            found="a read-only file system under a folder of the lake",
            expected="folders that can be written",
            do="Make the folder writable and run again; what is published stays readable.",
        )
    if _is_of_a_lost_jvm(error):
        return LakehouseError(
            what,
            found="no JVM any more: it was killed, or the machine has no memory left",
            expected="Spark's JVM until the run has ended",
            do=f"Run again; its last words are in {LOGS / 'spark.log'}, and what is published stays readable.",
        )
    return None


def _of_the_tables(text: str, what: str) -> LakehouseError | None:
    damage = next((text.find(name) for name in DAMAGED if name in text), None)
    if damage is not None:
        return BrokenLakeError(
            what,
            found=_head(text[damage:]),
            expected="every file that the tables' logs name",
            do="Run `lakehouse fsck`, which names all that is broken and says what to do; what is published is as it was.",
        )
    return None


def _is_of_a_lost_jvm(error: BaseException | None) -> bool:
    """Say whether the connection failed, here or in what led here: what the JVM itself throws has its exception or trace."""
    if error is None or isinstance(error, Py4JJavaError) or "Trace:" in str(error):
        return False
    is_lost = isinstance(error, ConnectionError | Py4JError)
    return is_lost or _is_of_a_lost_jvm(error.__cause__ or error.__context__)


def _head(text: str) -> str:
    return text if len(text) <= 400 else text[:400] + " …"
