"""Shared words of the house: errors, ids, clock, spans of time, money."""
