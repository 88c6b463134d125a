"""The programs that are compiled for a GPU: each a function and its arguments, some of them large."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Case(NamedTuple):
    """A program, made by `make(small)` as a function and its arguments; what a run of it is; over how many devices."""

    make: Callable[[bool], tuple[Callable[..., Any], tuple[Any, ...]]]
    what: str
    devices: int = 1


def _sizes(small: bool) -> dict[str, Any]:
    if small:
        return {"n_e": 400, "n_i": 100, "c_e": 40, "c_i": 10}
    return {"n_e": 10_000, "n_i": 2_500, "c_e": 1_000, "c_i": 250}


def _brunel(batch: int | None) -> Callable[[bool], tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Brunel's network with rates and CVs for 300 ms, one or a batch over one wiring."""

    def make(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        import jax
        import jax.numpy as jnp

        import jaxneuro as jn

        sizes, recorders = _sizes(small), {"rate": jn.record.Rate(), "cv": jn.record.CV()}
        wiring = jn.wire(jn.networks.brunel(**sizes), key=jax.random.key(0), delivery=jn.delivery.Product())

        def one(wiring: jn.Wiring, g: Any, key: Any) -> Any:
            net = jn.networks.brunel(g=g, **sizes)
            sol = jn.simulate(net, 0.0, 300.0, dt=0.1, key=key, wiring=wiring, record=recorders, throw=False)
            return jnp.mean(sol["rate"]["E"]), jnp.nanmean(sol["cv"]["E"])

        if batch is None:
            return one, (wiring, jnp.asarray(5.0), jax.random.key(0))
        each = jax.random.split(jax.random.key(0), batch)
        return jax.vmap(one, in_axes=(None, 0, 0)), (wiring, jnp.linspace(4.5, 6.5, batch), each)

    return make


def _gradient(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    net = jn.networks.brunel(**_sizes(small))
    wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Product())

    def rate(g: Any, wiring: jn.Wiring) -> Any:
        sol = jn.simulate(
            jn.networks.brunel(g=g, initial=jn.initial.UniformPotential(0.0, 20.0), **_sizes(small)), 0.0, 100.0,
            dt=0.1, key=jax.random.key(1), wiring=wiring, surrogate=jn.surrogate.Triangular(1.0), throw=False,
        )  # fmt: skip
        return jnp.mean(sol["rate"]["E"])

    return jax.value_and_grad(rate), (jnp.asarray(5.0), wiring)


def _surrogate(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    import jax

    from .surrogate import data, loss, parameters

    return jax.value_and_grad(loss), (parameters(), *data(8 if small else 128))


def _hodgkin_huxley(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    n = 1_000 if small else 100_000

    def rates(current: Any) -> Any:
        cells, key = jn.Population(jn.HodgkinHuxley(), n), jax.random.key(0)
        return jn.simulate(cells, 0.0, 100.0, dt=0.025, key=key, stimulus=current, throw=False)["rate"]

    return rates, (jnp.linspace(0.0, 20.0, n),)


def _rings(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    start = 1.0 + 0.1 * jnp.cos(jnp.linspace(0.0, 6.28, 512))

    def last(gain: Any, start: Any) -> Any:
        ring = jn.Ring(512, j=jnp.stack([-2.0 * jnp.ones_like(gain), gain]), i=1.0, start=start)
        sol = jn.simulate(ring, 0.0, 100.0, dt=0.1, record={"r": jn.record.Trace("rate", every=1_000)}, throw=False)
        return sol["r"][-1]

    return jax.vmap(last, in_axes=(0, None)), (jnp.linspace(2.5, 4.0, 10 if small else 1_000), start)


def _mean_field(small: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    def rate(g: Any) -> Any:
        return jn.theory.mean_field(jn.networks.brunel(g=g)).rate

    return jax.vmap(rate), (jnp.linspace(3.0, 8.0, 10 if small else 1_000),)


CASES = {
    "one Brunel network": Case(_brunel(None), "300 ms"),
    "64 Brunel networks over one wiring": Case(_brunel(64), "300 ms of each"),
    "gradient of a rate": Case(_gradient, "100 ms, forward and backward"),
    "700-256r-20, forward and backward": Case(_surrogate, "a batch of 128, 100 steps"),
    "100,000 Hodgkin-Huxley neurons": Case(_hodgkin_huxley, "100 ms at 0.025 ms"),
    "1,000 rings of 512": Case(_rings, "1,000 steps"),
    "mean field at 1,000 points": Case(_mean_field, "all points, every loop turned once"),
    "a sweep of 512 runs over 8 devices": Case(_brunel(512), "300 ms of each", devices=8),
}
