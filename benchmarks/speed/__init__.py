"""How fast is the compiled training program, beside what people would use instead?

`python -m benchmarks.speed` runs all contenders in one process, in turns, and prints what a
training step of one seed costs and the ratios between them. Absolute numbers belong to a machine
and an hour; ratios of runs taken in turns travel better.
"""
