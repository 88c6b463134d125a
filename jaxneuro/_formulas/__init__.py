"""Functions of numbers only, shared by laws, rate models and theory."""
