"""The errors that a person sees: one paragraph each, and the exit code that a program sees."""

from __future__ import annotations


class LakehouseError(Exception):
    """Something failed; the message is a paragraph for a person."""

    exit_code = 1

    def __init__(self, what: str, *, found: str, expected: str, do: str) -> None:
        """Compose the paragraph: what is wrong, what was found, what was expected, what to do."""
        super().__init__(f"{what}: found {found}; expected {expected}. {do}")


class UsageError(LakehouseError):
    """The command, the configuration or the machine is not as it must be."""

    exit_code = 2


class QualityError(LakehouseError):
    """A check failed, so nothing was published."""

    exit_code = 3


class BrokenLakeError(LakehouseError):
    """The lake is not what its manifest says."""

    exit_code = 4


class LakeBusyError(LakehouseError):
    """Another process is writing to the lake."""

    exit_code = 75
