"""Exports of a CRM and of a help desk as they are, by the mappings that come with the project."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

DEALS = """Record ID,Deal Name,Deal Stage,Close Date,Create Date,Deal owner,Amount,Currency,Deal Type,Associated Company IDs (Primary),Last Modified Date
7001,Bluebay,Contract Sent,2026-03-31 00:00,2026-01-10 09:30,Sam Sales,12000.50,EUR,New Business,9001,2026-02-10 16:00
7002,Harbour,closedwon,2026-02-01,2025-11-03 08:00,Sam Sales,2500,EUR,existingbusiness,9002,2026-02-01 12:00
7003,Quarry,Waiting Room,2026-04-01,2026-01-12 10:00,Sam Sales,900,EUR,New Business,9003,2026-01-12 10:00
"""
CONTACTS = """Record ID,First Name,Last Name,Email,Job Title,Contact owner,Create Date,Associated Company IDs (Primary)
8001,Priya,Example,priya@bluebay.example,Buyer,Sam Sales,2026-01-09 12:00,9001
"""
ACCOUNT = """"Id","Name","ParentId","Type","BillingCountryCode","NumberOfEmployees","OwnerId","CreatedDate","LastModifiedDate"
"001A","Bluebay","","Customer - Direct","DE","120","005A","2025-01-15T10:23:45.000Z","2026-01-02T00:00:00.000Z"
"001B","Quarry","001A","Technology Partner","","","005A","2025-02-01T00:00:00.000Z","2025-02-01T00:00:00.000Z"
"""
LEAD = """"Id","LeadSource","Status","OwnerId","CreatedDate","ConvertedAccountId","ConvertedOpportunityId","LastModifiedDate"
"00QA","Partner Referral","Closed - Converted","005A","2025-01-10T08:00:00.000Z","001A","006A","2025-01-15T10:23:45.000Z"
"00QB","Web","Open - Not Contacted","005A","2025-03-01T08:00:00.000Z","","","2025-03-01T08:00:00.000Z"
"""
OPPORTUNITY = """"Id","AccountId","OwnerId","Type","LeadSource","StageName","Amount","CreatedDate","CloseDate","Probability","LastModifiedDate"
"006A","001A","005A","New Customer","Web","Negotiation/Review","24000.00","2025-01-15T10:23:45.000Z","2025-06-30","90","2025-05-01T09:00:00.000Z"
"""
HISTORY = """"Id","OpportunityId","StageName","Amount","CloseDate","Probability","CreatedDate"
"008A","006A","Prospecting","20000.00","2025-05-31","10","2025-01-15T10:23:45.000Z"
"008B","006A","Id. Decision Makers","24000.00","2025-06-30","60","2025-03-02T11:00:00.000Z"
"""
TICKETS = """Id,Requester id,Subject,Status,Priority,Created at,Updated at,Organization,Solved at,Satisfaction Score,Reopens,Replies,Assignee
1,501,Invoice is wrong,Solved,High,2025-01-15 10:23,2025-01-17 08:00,acme,2025-01-16 09:00,Good,1,3,Ana
2,502,How do I export?,On-hold,-,2025-01-16 11:00,2025-01-16 12:00,globex,,Not Offered,0,1,Ana
"""


def test_deals_and_contacts_of_hubspot_are_received_as_they_are(folder, ingest, received):
    (folder / "deals").mkdir()
    (folder / "deals" / "hubspot-crm-exports-all-deals.csv").write_text(DEALS, encoding="utf-8")
    (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    ingest(source="hubspot")
    asked, won, unknown = received("opportunities")
    assert (asked["opportunity_id"], asked["account_id"], asked["owner_rep_id"]) == ("7001", "9001", "Sam Sales")
    assert (asked["stage"], asked["opportunity_type"]) == ("negotiation", "new_business")
    assert (asked["arr"], asked["currency"]) == (Decimal("12000.500000"), "EUR")
    assert asked["created_at"] == datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
    assert asked["expected_close_date"] == date(2026, 3, 31)
    assert (won["stage"], won["opportunity_type"], won["closed_at"]) == ("closed_won", "expansion", None)
    assert unknown["_unread"] == '{"stage":"Waiting Room"}'
    (contact,) = received("contacts")
    assert (contact["contact_id"], contact["account_id"], contact["title"]) == ("8001", "9001", "Buyer")


def test_objects_of_salesforce_are_received_as_they_are(folder, ingest, received):
    objects = {"Account": ACCOUNT, "Lead": LEAD, "Opportunity": OPPORTUNITY, "OpportunityHistory": HISTORY}
    for name, text in objects.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    ingest(source="salesforce")
    tables = ("accounts", "leads", "opportunities", "opportunity_stage_history")
    assert [row["_unread"] for table in tables for row in received(table)] == [None] * 7
    customer, partner = received("accounts")
    assert (customer["status"], customer["country"], customer["employee_count"]) == ("customer", "DE", 120)
    assert (partner["status"], partner["parent_account_id"]) == (None, "001A")
    converted, new = received("leads")
    assert (converted["lead_source"], converted["status"]) == ("partner", "converted")
    assert (converted["opportunity_id"], new["opportunity_id"], new["status"]) == ("006A", None, "new")
    (opportunity,) = received("opportunities")
    assert (opportunity["stage"], opportunity["rep_probability"]) == ("negotiation", 0.9)
    assert (opportunity["arr"], opportunity["opportunity_type"]) == (Decimal("24000.000000"), "new_business")
    assert opportunity["created_at"] == datetime(2025, 1, 15, 10, 23, 45, tzinfo=UTC)
    history = received("opportunity_stage_history")
    assert [(change["to_stage"], change["rep_probability"]) for change in history] == [
        ("prospecting", 0.1),
        ("discovery", 0.6),
    ]


def test_tickets_of_zendesk_are_received_as_they_are(folder, ingest, received):
    (folder / "tickets.csv").write_text(TICKETS, encoding="utf-8")
    ingest(source="zendesk")
    solved, waiting = received("support_interactions")
    assert (solved["ticket_id"], solved["customer_id"], solved["priority"]) == ("1", "acme", "high")
    assert (solved["status"], solved["csat"], solved["reopen_count"]) == ("resolved", 5, 1)
    assert solved["resolved_at"] == datetime(2025, 1, 16, 9, 0, tzinfo=UTC)
    assert (waiting["status"], waiting["priority"], waiting["csat"]) == ("pending", None, None)
    assert (solved["_unread"], waiting["_unread"]) == (None, None)
