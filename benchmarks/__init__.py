"""Runs the experiments: every claim of the lecture, measured with many seeds and judged."""
