"""The model, its loss and its gradient."""
