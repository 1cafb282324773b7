"""The CRM of the synthetic company: leads, opportunities and the people around them, joined to what billing knows."""
