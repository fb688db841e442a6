"""The commands of `python -m benchmarks`, one file each; heavy imports wait until they run."""
