"""Shared arithmetic: small functions from columns to columns, each with its unit and formula."""
