"""Functions of numbers only, shared by laws, models and theory."""

from ._membrane_input import Input as Input
