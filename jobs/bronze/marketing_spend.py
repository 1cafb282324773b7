"""Programme spend of marketing: one row per channel, campaign and month."""

from __future__ import annotations

from lakehouse.rules import Freshness, Once, Volume
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS

table = Table(
    name="bronze.marketing_spend",
    description=__doc__,
    grain="channel, campaign and month",
    key=("spend_id",),
    columns=(
        Column("spend_id", "string", "Spend record", default="concat_ws(' | ', month, channel, campaign_id, currency)"),
        Column("month", "date", "First day of the month"),
        Column("channel", "string", "Channel that was paid for", values=CHANNELS),
        Column("campaign_id", "string", "Campaign"),
        Column("amount", AMOUNT, "What was spent", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amount", default="_reporting_currency"),
        *PROVENANCE,
    ),
    audits=(
        Once("received_once", ("spend_id",)),
        Freshness("recent", "month", days=31),
        Volume("usual_volume", least=1.0, most=2.0),
    ),
    rejects=(
        Check("spend_id_missing", "spend_id IS NOT NULL"),
        Check("month_missing", "month IS NOT NULL"),
        Check("channel_missing", "channel IS NOT NULL"),
        Check("amount_missing_or_negative", "amount >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
