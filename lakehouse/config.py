"""Reads and validates ``conf/*.yml``: every problem of every file is reported at once, before Spark starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from lakehouse.errors import UsageError
from lakehouse.generator.company import REPORTING_CURRENCY, Company
from lakehouse.setting_types import Model, PositiveInt
from lakehouse.settings import Metrics, Sla

MAXIMUM_BYTES = 1_000_000
LINE_END = b"\n"


class LakeConfig(Model):
    """``conf/lake.yml``."""

    version: PositiveInt
    keep_runs: PositiveInt
    file_retention_days: PositiveInt
    log_retention_days: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _log_outlives_files(self) -> LakeConfig:
        if self.log_retention_days < self.file_retention_days:
            raise ValueError("log_retention_days must not be below file_retention_days")
        return self


@dataclass(frozen=True)
class Config:
    """The whole configuration."""

    company: Company
    metrics: Metrics
    sla: Sla
    lake: LakeConfig


M = TypeVar("M", bound=Model)


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, refusing duplicate keys, keys that are no text, and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"line {self.line + 1}: aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no text; put it in quotes", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, f"{node.value}: {error}", node.start_mark) from error


def load(folder: Path, *, profile: str | None = None) -> Config:
    """Read the configuration in ``folder``, the company under ``profile`` if one is named.

    Raises:
        UsageError: with all problems of all files, each with its file and key.
    """
    problems: list[str] = []
    company = _company(folder / "company.yml", profile, problems)
    metrics = _model(folder / "metrics.yml", Metrics, problems)
    sla = _model(folder / "sla.yml", Sla, problems)
    lake = _model(folder / "lake.yml", LakeConfig, problems)
    if metrics is not None and metrics.reporting_currency != REPORTING_CURRENCY:
        found = metrics.reporting_currency
        problems.append(
            f"metrics.yml: reporting_currency: the company's rates are in {REPORTING_CURRENCY} (found {found!r})"
        )
    if problems or company is None or metrics is None or sla is None or lake is None:
        raise _unusable(str(folder), problems)
    return Config(company, metrics, sla, lake)


def read_model(path: Path, model: type[M]) -> M:
    """Read one file of the configuration.

    Raises:
        UsageError: with all of its problems, each with its key.
    """
    problems: list[str] = []
    read = _model(path, model, problems)
    if read is None:
        raise _unusable(str(path), problems)
    return read


def _unusable(what: str, problems: list[str]) -> UsageError:
    return UsageError(
        f"The configuration in {what} cannot be used",
        found=f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: " + "; ".join(problems),
        expected="values as the comments in the files describe them",
        do="Correct them and run the command again; nothing was started.",
    )


def _company(path: Path, profile: str | None, problems: list[str]) -> Company | None:
    """Return the company under ``profile``; once it is valid without one, every profile is validated too."""
    content = _content(path, problems)
    if content is None:
        return None
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(changes, dict) for changes in profiles.values()):
        problems.append(f"{path.name}: profiles: each needs a name, and keys and values that differ")
        return None
    if profile is not None and profile not in profiles:
        problems.append(f"{path.name}: there is no profile {profile!r}; known are {', '.join(profiles)}")
    company = _validated(f"{path.name}: ", Company, Company.with_profile(content, None), problems)
    if company is None:
        return None
    companies: dict[str | None, Company | None] = {None: company}
    for name in profiles:
        whole = Company.with_profile(content, name)
        companies[name] = _validated(f"{path.name}: profiles.{name}.", Company, whole, problems)
    return companies.get(profile)


def _model(path: Path, model: type[M], problems: list[str]) -> M | None:
    content = _content(path, problems)
    return None if content is None else _validated(f"{path.name}: ", model, content, problems)


def _validated(where: str, model: type[M], content: dict[str, Any], problems: list[str]) -> M | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems += [where + _described(model, dict(detail)) for detail in error.errors()]
    return None


def _content(path: Path, problems: list[str]) -> dict[str, Any] | None:
    try:
        return _read(path)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = line + ", ".join(filter(None, (error.context, error.problem)))
    except UnicodeDecodeError as error:
        problem = f"line {error.object[: error.start].count(LINE_END) + 1}: not UTF-8"
    except OSError as error:
        problem = error.strerror or str(error)
    except RecursionError:
        problem = "nested too deeply"
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
    problems.append(f"{path.name}: {problem}")
    return None


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAXIMUM_BYTES:
        raise yaml.YAMLError(f"larger than {MAXIMUM_BYTES} bytes")
    loader = _StrictLoader(path.read_text(encoding="utf-8"))
    try:
        content = loader.get_single_data()
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise yaml.YAMLError("expected keys and values at the top")
    return content


def _described(model: type[Model], detail: dict[str, Any]) -> str:
    place = detail["loc"]
    key = ".".join(map(str, place)) or "the whole file"
    found = detail["input"]
    shown = "" if isinstance(found, dict) else f" (found {found!r})"
    match detail["type"]:
        case "missing":
            return f"{key}: missing"
        case "extra_forbidden":
            return f"{key}: unknown key{shown}; known are {', '.join(_keys(model, place[:-1]))}"
        case "model_type":
            return f"{key}: needs keys and values{shown}; the keys are {', '.join(_keys(model, place))}"
    return f"{key}: {detail['msg'].removeprefix('Value error, ')}{shown}"


def _keys(kind: Any, place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the model at ``place`` within the type ``kind`` knows."""
    for part in place:
        fields = getattr(kind, "model_fields", {})
        kind = fields[part].annotation if part in fields else get_args(kind)[-1]  # the values of a mapping or list
    return list(kind.model_fields)
