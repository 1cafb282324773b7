"""JSON as it is exported: an array of objects, or an object a line, the numbers in it as they are written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

_BOM = b"\xef\xbb\xbf"


class NoJsonError(ValueError):
    """The text is no such JSON; the message says what was found, and in which line."""


def objects(raw: io.BufferedIOBase) -> Iterator[dict[str, Any]]:
    """Yield the objects of ``raw``: of its one array, or of each line that is not blank.

    Raises:
        NoJsonError: with line and column, if the bytes are no UTF-8 or no JSON, or an object names a value twice.
    """
    lines = enumerate(raw, start=1)
    for number, line in lines:
        text = line.removeprefix(_BOM) if number == 1 else line
        if text.lstrip().startswith(b"["):
            yield from _each(_parsed(text + b"".join(rest for _, rest in lines), number), number)
        elif text.strip():
            yield from _each([_parsed(text, number)], number)


def cell(value: object) -> str | None:
    """Return a value as the text of a cell."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _each(found: list[Any], line: int) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            raise NoJsonError(f"{str(record)[:40]!r} in place of an object, record {number} from line {line} on")
        yield record


def _parsed(data: bytes, line: int) -> Any:
    """Return the value of ``data``, which begins in ``line``; numbers stay as they are written."""
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=_named_once)
    except UnicodeDecodeError as error:
        *lines, last = data[: error.start].split(b"\n")
        place = f"line {line + len(lines)}, byte {len(last) + 1}"
        raise NoJsonError(f"the byte {data[error.start]:#04x} in {place}, which is no UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise NoJsonError(f"no JSON in {place}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise NoJsonError(f"{error}, from line {line} on") from error


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} twice in one object")
    return record
