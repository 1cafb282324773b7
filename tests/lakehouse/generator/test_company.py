"""The configuration of the synthetic company."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.generator.company import Company


def changed(content: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    result = deepcopy(Company.with_profile(content, None))
    *parents, key = path.split(".")
    place = result
    for parent in parents:
        place = place[parent]
    place[key] = value
    return result


def test_every_shipped_profile_is_a_valid_company(company_content: dict[str, Any]) -> None:
    assert list(company_content["profiles"]) == ["seed_stage", "growth", "enterprise"]
    for profile in company_content["profiles"]:
        Company.model_validate(Company.with_profile(company_content, profile))


def test_a_profile_overrides_what_it_names_and_leaves_the_rest(company_content: dict[str, Any]) -> None:
    base = Company.model_validate(Company.with_profile(company_content, None))
    seed_stage = Company.model_validate(Company.with_profile(company_content, "seed_stage"))
    assert seed_stage.sizes["Enterprise"].share == 0.03
    assert seed_stage.sizes["Enterprise"].seats == base.sizes["Enterprise"].seats
    assert seed_stage.churn == base.churn


def test_an_unknown_profile_is_refused_with_the_names_of_the_known(company_content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no profile 'seed'; known are seed_stage, growth, enterprise"):
        Company.with_profile(company_content, "seed")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("churn.monthly.SMB", 1.0, "less than 1"),
        ("churn.monthly", {"SMB": 0.02, "Enterprise": 0.01}, "monthly must name SMB, Mid-Market, Enterprise"),
        ("churn.tenure_multiplier", [1.0, 1.0], "one value more than tenure_months"),
        ("sizes.Startup.share", 0.5, "shares of sizes must sum to 1"),
        ("countries.GB.currency", "CHF", "currencies has no CHF"),
        ("price_rise.month", "2025-04-15", "date"),
        ("scale.customers", 0, "greater than or equal to 1"),
        ("payments.retry_days", [3, 5, 7, 14, 21, 30], "by day 27"),
        ("growth.seasn", 1, "Extra inputs"),
        ("crm.stages.SMB.advance", [0.7, 0.7, 0.7], "at least 4"),
        ("crm.stages.SMB.advance", [0.7, 0.7, 0.7, 1.0], "less than 1"),
        ("crm.funnel", {"organic_search": {}}, "funnel"),
        ("crm.loss_reasons", {"price": 0.5, "no_decision": 0.4}, "shares of loss_reasons must sum to 1"),
        ("crm.activities.types", {"call": 0.5, "email": 0.5}, "types must name email, call, meeting, demo"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    company_content: dict[str, Any], path: str, value: object, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Company.model_validate(changed(company_content, path, value))
