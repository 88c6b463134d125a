"""Functions of numbers only, shared by laws, models and theory."""

from ._input import Input as Input
