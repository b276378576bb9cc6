"""What each layer costs: rows for people, spreadsheets and reports."""
