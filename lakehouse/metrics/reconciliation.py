"""What was billed against the terms, and what was paid against the bills, in slices with a reason."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.slices import CENT, UNEXPLAINED, part, slices_of
from lakehouse.types import AMOUNT

_MICRO = 0.00001  # amounts have six decimals


def terms_to_invoices(lines: DataFrame, invoices: DataFrame) -> DataFrame:
    """Return the slices from silver.billing_schedule, in the month of each line, to silver.invoices, in that of issue.

    Lines and invoices belong together that bill a customer from the same day, and so do credits and credit notes. A
    credit note that no terms ask for is known as such up to what was invoiced from that day.
    """
    is_note = F.col("invoice_type") == "credit_note"
    is_void = F.col("status").eqNullSafe("void")
    net = F.coalesce("subtotal", F.col("total") - F.coalesce("tax", F.lit(0)))
    net_reporting = F.coalesce("subtotal_reporting", F.col("total_reporting") - F.coalesce("tax_reporting", F.lit(0)))

    def signed(amount: Column) -> Column:
        return F.when(is_void, 0).when(is_note, -amount).otherwise(amount)

    terms = lines.select(
        "customer_id",
        F.col("billing_month").alias("month"),
        "period_start",
        (F.col("amount") < 0).alias("is_credit"),
        F.col("amount").alias("expected"),
        F.col("amount_reporting").alias("from_amount"),
        (F.col("line_type") == "proration").cast("int").alias("prorations"),
    )
    bills = invoices.select(
        "customer_id",
        F.col("invoice_month").alias("month"),
        F.coalesce("period_start", F.to_date("issued_at")).alias("period_start"),
        is_note.alias("is_credit"),
        signed(net).alias("invoiced"),
        signed(net_reporting).alias("to_amount"),
        is_void.alias("is_void"),
    )
    sums = ("expected", "invoiced", "from_amount", "to_amount", "prorations")
    by_month = (
        terms.unionByName(bills, allowMissingColumns=True)
        .groupBy("customer_id", "period_start", "is_credit", "month")
        .agg(*(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in sums), F.bool_or("is_void").alias("is_void"))
    )
    return slices_of("terms_to_invoices", by_month.withColumn("reason", _billing_reason()))


def _billing_reason() -> Column:
    """Why what a customer is billed from a day on differs from its terms."""
    of_day = Window.partitionBy("customer_id", "period_start")
    alike = Window.partitionBy("customer_id", "period_start", "is_credit")
    expected, invoiced = F.sum("expected").over(alike), F.sum("invoiced").over(alike)
    difference = F.abs(invoiced - expected)
    charged = F.sum(F.when(~F.col("is_credit"), F.col("invoiced")).otherwise(0)).over(of_day)
    month = F.when((F.col("expected") != 0) | (F.col("invoiced") != 0), F.col("month"))
    is_one_month = F.min(month).over(alike).eqNullSafe(F.max(month).over(alike))
    converted = F.abs(F.sum(F.col("to_amount") - F.col("from_amount")).over(alike))
    is_void = F.coalesce(F.bool_or("is_void").over(alike), F.lit(False))
    is_given_back = F.col("is_credit") & (invoiced < expected) & (-invoiced <= charged)
    # The rest of a period is half a cent away from whole cents at most; what that is worth elsewhere stays a few cents.
    prorations = F.sum("prorations").over(alike)
    is_alike = difference <= prorations * (CENT / 2) + _MICRO
    is_converted_alike = converted <= (prorations + 1) * CENT
    return (
        F.when(is_alike & ~is_one_month, "timing_invoice")
        .when((difference == 0) & (converted == 0), "agreed")
        .when(is_alike & ~is_converted_alike, "fx")
        .when(is_alike, "rounding")
        .when(is_given_back, "credit_note")
        .when(is_void & (invoiced == 0), "voided")
        .otherwise(UNEXPLAINED)
    )


def invoices_to_payments(invoices: DataFrame, payments: DataFrame, as_of: date) -> DataFrame:
    """Return the slices from silver.invoices, in the month of issue, to silver.payments, in that of the payment.

    Payments belong to the invoice that they name; what was given back to a customer in a month belongs to its credit
    notes of that month. What is not paid has the reason that holds on the as-of day.
    """
    of_month = F.concat_ws(" ", "customer_id", F.col("month").cast("string"))
    is_note = F.col("invoice_type") == "credit_note"
    is_refund = F.col("status") == "refunded"
    net = F.coalesce("subtotal_reporting", F.col("total_reporting") - F.coalesce("tax_reporting", F.lit(0)))
    billed = (
        invoices.filter(~F.col("status").eqNullSafe("void"))
        .withColumn("month", F.col("invoice_month"))
        .select(
            "customer_id",
            "month",
            is_note.alias("is_credit"),
            F.when(is_note, of_month).otherwise(F.col("invoice_id")).alias("document"),
            F.when(is_note, -F.col("total")).otherwise(F.col("total")).alias("billed"),
            F.when(is_note, -net).otherwise(net).alias("from_amount"),
            F.col("status").alias("invoice_status"),
            F.coalesce(F.to_date("due_at") < F.lit(as_of), F.lit(False)).alias("is_late"),
        )
    )
    sign = F.when(is_refund, -1).otherwise(1)
    paid = (
        payments.filter(F.col("is_succeeded") | is_refund)
        .withColumn("month", F.col("payment_month"))
        .select(
            "customer_id",
            "month",
            is_refund.alias("is_credit"),
            F.when(is_refund, of_month).otherwise(F.coalesce("invoice_id", "payment_id")).alias("document"),
            (F.col("amount") * sign).alias("paid"),
            (F.col("amount_net_of_tax_reporting") * sign).alias("net"),
            ((F.col("amount_reporting") - F.col("amount_net_of_tax_reporting")) * sign).alias("tax"),
        )
    )
    entries = billed.unionByName(paid, allowMissingColumns=True).transform(_at_the_rate_of_the_document)
    fx = F.coalesce(F.col("net") - F.col("at_document_rate"), F.lit(0))
    parts = (
        part(F.col("reason"), from_amount=F.col("from_amount"), to_amount=F.col("at_document_rate")),
        part(F.lit("tax"), to_amount=F.col("tax")),
        part(F.when(F.abs(fx) < CENT, "rounding").otherwise("fx"), to_amount=fx),
    )
    reasoned = entries.withColumn("reason", _payment_reason())
    return slices_of("invoices_to_payments", reasoned.select("customer_id", "month", F.inline(F.array(*parts))))


def _at_the_rate_of_the_document(entries: DataFrame) -> DataFrame:
    """Add the net payment at the rate of what it pays, and the totals of each document."""
    document = Window.partitionBy("document", "is_credit")
    totals = entries.withColumns(
        {
            "all_billed": F.coalesce(F.sum("billed").over(document), F.lit(0)).cast(AMOUNT),
            "all_paid": F.coalesce(F.sum("paid").over(document), F.lit(0)).cast(AMOUNT),
            "all_net": F.coalesce(F.sum("from_amount").over(document), F.lit(0)).cast(AMOUNT),
        }
    )
    share = F.try_divide(F.col("all_net") * F.col("paid").cast(AMOUNT), F.col("all_billed")).cast(AMOUNT)
    return totals.withColumn("at_document_rate", F.coalesce(share, "net"))


def _payment_reason() -> Column:
    document = Window.partitionBy("document", "is_credit")
    billed, paid = F.col("all_billed"), F.col("all_paid")
    status, is_late = F.max("invoice_status").over(document), F.max("is_late").over(document)
    is_one_month = F.min("month").over(document) == F.max("month").over(document)
    is_known = status.isNotNull()
    return (
        F.when(is_known & (billed == paid) & F.col("is_credit"), "refund")
        .when(is_known & (paid == 0) & F.col("is_credit"), "credit_note")
        .when(~is_known | F.col("is_credit") | (paid > billed), UNEXPLAINED)
        .when((billed == paid) & is_one_month, "agreed")
        .when(billed == paid, "timing_payment")
        .when(status == "paid", UNEXPLAINED)
        .when(status == "uncollectible", "written_off")
        .when(is_late, "past_due")
        .otherwise("unpaid")
    )
