"""The database schema, step by step, as SQL."""
