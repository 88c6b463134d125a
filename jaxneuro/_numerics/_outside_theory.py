"""What is said where a theory is asked beyond what it holds for."""


class OutsideTheoryWarning(UserWarning):
    """A law is asked for where the theory behind it does not hold."""
