"""The experiments on learning theory: risk, bias and variance, choosing a model."""
