"""The experiments on convolutions, recurrence, continuous depth and graphs."""
