"""The synthetic company: what happens to it, month by month, and the records that it leaves."""
