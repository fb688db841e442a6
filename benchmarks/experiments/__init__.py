"""One file a claim of the lecture, one folder a section; each file defines `EXPERIMENT`."""
