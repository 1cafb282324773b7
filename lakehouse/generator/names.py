"""Names of companies and people, put together from pools that Faker fills once."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.arrays import labels
from lakehouse.generator.streams import Ints, Source

_FAKER_SEED = 1
_LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")
_POOL_SIZE = 2000

_NOUNS = (
    "Analytics", "Systems", "Health", "Logistics", "Capital", "Foods", "Robotics", "Media", "Energy", "Labs",
    "Networks", "Software", "Partners", "Retail", "Learning", "Materials", "Mobility", "Security", "Insurance",
    "Studios", "Biotech", "Travel", "Payments", "Motors", "Textiles", "Instruments",
)  # fmt: skip
_FORMS = ("Inc", "Ltd", "Group", "GmbH", "LLC", "Co", "Holdings", "SA")


@dataclass(frozen=True)
class Pools:
    """First names, last names, and last names as they stand in an address."""

    first: list[str]
    last: list[str]


@cache
def pools() -> Pools:
    """Return the pools, the same in every process."""
    # Only who generates waits for it to load.
    from faker import Faker  # noqa: PLC0415

    faker = Faker(list(_LOCALES), use_weighting=False)
    faker.seed_instance(_FAKER_SEED)
    return Pools(
        sorted({faker.first_name() for _ in range(_POOL_SIZE)}), sorted({faker.last_name() for _ in range(_POOL_SIZE)})
    )


def company_names(source: Source, customer: Ints) -> pa.Array:
    """Return the legal name of each customer's company."""
    owner = _pick(source, "owner", pools().last, customer)
    noun = _pick(source, "noun", _NOUNS, customer)
    return pc.binary_join_element_wise(owner, noun, _pick(source, "form", _FORMS, customer), " ")


def contacts(source: Source, customer: Ints, contact: Ints) -> tuple[pa.Array, pa.Array]:
    """Return name and address of each customer's billing contact; ``contact`` counts a customer's contacts."""
    first = _pick(source, "first_name", pools().first, customer, contact)
    last = _pick(source, "last_name", pools().last, customer, contact)
    domain = pc.binary_join_element_wise(
        _pick(source, "owner", _ascii(pools().last), customer), _pick(source, "noun", _ascii(_NOUNS), customer), "-"
    )
    user = pc.binary_join_element_wise(
        _pick(source, "first_name", _ascii(pools().first), customer, contact),
        _pick(source, "last_name", _ascii(pools().last), customer, contact),
        ".",
    )
    # example is a domain that is reserved for examples: nobody can be written to.
    address = pc.binary_join_element_wise(user, pc.binary_join_element_wise(domain, "example", "."), "@")
    return pc.binary_join_element_wise(first, last, " "), address


def _pick(source: Source, stream: str, pool: list[str] | tuple[str, ...], *counters: Ints) -> pa.Array:
    return labels(pool, (source.uniform(stream, *counters) * len(pool)).astype(np.int64))


def _ascii(names: list[str] | tuple[str, ...]) -> list[str]:
    plain = (unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() for name in names)
    return ["".join(character for character in name.lower() if character.isalnum()) for name in plain]
