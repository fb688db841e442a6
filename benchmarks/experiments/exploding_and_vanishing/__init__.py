"""The experiments on exploding and vanishing gradients: how scale travels through depth."""
