"""What tests of sweeps share."""

import jax
import pytest


@pytest.fixture
def compilations(caplog):
    """How many programs XLA has compiled for sweeps since the last call."""

    def count():
        n = sum(record.getMessage().startswith("Finished XLA compilation of jit(call)") for record in caplog.records)
        caplog.clear()
        return n

    with jax.log_compiles(), caplog.at_level("WARNING"):
        yield count
