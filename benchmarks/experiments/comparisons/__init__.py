"""Contenders on one task under the same tuning budget."""
