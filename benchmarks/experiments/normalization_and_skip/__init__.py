"""The experiments on activation normalization and skip connections."""
