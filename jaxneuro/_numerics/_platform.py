"""Where arrays go that are made now."""

from typing import Any

import jax


def platform() -> str:
    """The platform of new arrays, such as "cpu": of `jax.default_device` where it is set, else of the default backend.

    For what is decided while arrays are made. Inside a compiled program the platform is that of the program: say what
    is done on each with `_primitive.define`.
    """
    config: Any = jax.config
    chosen = config.jax_default_device
    if chosen is None:
        return jax.default_backend()
    return chosen if isinstance(chosen, str) else chosen.platform
