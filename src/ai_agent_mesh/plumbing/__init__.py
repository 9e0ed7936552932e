"""Kits without a domain: database, jobs, HTTP, cryptography, observation."""
