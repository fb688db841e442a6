"""First and second order steps, and how fast they get there."""
