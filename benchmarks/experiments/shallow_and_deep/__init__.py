"""The experiments on shallow and deep networks."""
