"""Differentiable simulation, theory and fitting of neural circuits."""

from . import laws as laws
