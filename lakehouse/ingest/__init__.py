"""The user's own records: from files as they are to bronze tables, each file once and no row lost."""
