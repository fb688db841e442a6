"""Noise, averaging, and step sizes that adapt."""
