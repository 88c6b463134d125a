"""Time constants of synapses, checked."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_positive, violates


def checked_rise(tau_rise: ArrayLike, tau_decay: ArrayLike) -> dict[str, Float[Array, "..."]]:
    """Both time constants as leaves, or `ValueError`."""
    rise, decay = as_leaf(tau_rise, "tau_rise"), as_leaf(tau_decay, "tau_decay")
    check_positive("tau_rise", rise)
    check_positive("tau_decay", decay)
    if violates(lambda a, b: a <= b, rise, decay):
        raise ValueError(f"`tau_rise` must not be above `tau_decay`; got {rise} and {decay} ms.")
    return {"tau_rise": rise, "tau_decay": decay}


def checked_tau(tau: ArrayLike) -> Float[Array, "*n"]:
    """A time constant as a leaf, or `ValueError`."""
    leaf = as_leaf(tau, "tau")
    check_positive("tau", leaf)
    return leaf
