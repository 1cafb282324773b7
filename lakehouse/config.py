"""Reads and validates ``conf/*.yml``: every problem of every file is reported at once, before Spark starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from lakehouse.errors import UsageError
from lakehouse.generator.company import Company
from lakehouse.setting_types import Model, PositiveInt
from lakehouse.settings import Metrics, Sla

MAXIMUM_BYTES = 1_000_000


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
    """YAML's safe loader, refusing duplicate keys and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"line {self.line + 1}: aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load(folder: Path, *, profile: str | None = None) -> Config:
    """Read the configuration in ``folder``, the company under ``profile`` if one is named.

    Raises:
        UsageError: with all problems of all files, each with its file and key.
    """
    problems: list[str] = []
    company = _validated(folder / "company.yml", Company, problems, profile=profile)
    metrics = _validated(folder / "metrics.yml", Metrics, problems)
    sla = _validated(folder / "sla.yml", Sla, problems)
    lake = _validated(folder / "lake.yml", LakeConfig, problems)
    if company is None or metrics is None or sla is None or lake is None:
        raise UsageError(
            f"The configuration in {folder} cannot be used",
            found=f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: " + "; ".join(problems),
            expected="values as the comments in the files describe them",
            do="Correct them and run the command again; nothing was started.",
        )
    return Config(company, metrics, sla, lake)


def _validated(path: Path, model: type[M], problems: list[str], *, profile: str | None = None) -> M | None:
    try:
        content = _read(path)
        if issubclass(model, Company):
            content = Company.with_profile(content, profile)
        return model.model_validate(content)
    except ValidationError as error:
        problems += [_described(path, dict(detail)) for detail in error.errors()]
    except (yaml.YAMLError, OSError, ValueError) as error:
        problems.append(f"{path.name}: {' '.join(str(error).split())}")
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


def _described(path: Path, detail: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in detail["loc"]) or "the whole file"
    message = str(detail["msg"]).removeprefix("Value error, ")
    found = detail.get("input")
    shown = "" if isinstance(found, dict) else f" (found {found!r})"
    return f"{path.name}: {key}: {message}{shown}"
