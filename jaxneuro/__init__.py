"""Differentiable simulation, theory and fitting of neural circuits."""
