"""Two laws of the efficacy over the in-degree. Each is a network at every K, that is solved, simulated and fitted."""

import abc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro.extend import AbstractBijection, Positive, Unbounded, as_leaf, is_concrete
from jaxneuro.theory import AbstractNoise

A, K, G, NU_X = 0.0016, 1_000.0, 20.0, (30.0, 60.0)
_NETWORKS = 12  # as many as the theory part has: six in-degrees at two external rates


class Recordings(eqx.Module):
    """Rates [Hz] and CVs of E and I neurons in networks of in-degree `k` under external rates `nu_x` [Hz].

    `cv` is None where rates alone were recorded.
    """

    k: Float[Array, " networks"]
    nu_x: Float[Array, " networks"]
    rate: Float[Array, "networks 2"]
    cv: Float[Array, "networks 2"] | None

    def logs(self) -> Float[Array, " n"]:
        """What is fitted: errors are relative."""
        return logs(self.rate, self.cv)


def logs(rate: Float[Array, "networks 2"], cv: Float[Array, "networks 2"] | None) -> Float[Array, " n"]:
    both = jnp.ravel(jnp.log(rate))
    return both if cv is None else jnp.concatenate([both, jnp.ravel(jnp.log(cv))])


class AbstractScaling(eqx.Module):
    """A law of the efficacy, and the theory of the noise by which its networks are solved."""

    a: eqx.AbstractVar[Float[Array, ""]]
    noise: eqx.AbstractVar[AbstractNoise]

    @eqx.filter_jit
    def efficacy(self, k: Float[Array, " n"]) -> Float[Array, " n"]:
        """a at the in-degrees `k`."""
        return self._efficacy(k)

    @abc.abstractmethod
    def _efficacy(self, k: Float[Array, " n"]) -> Float[Array, " n"]: ...

    def solve(self, k: Float[Array, " n"], nu_x: Float[Array, " n"]) -> tuple[Float[Array, "n 2"], Float[Array, "n 2"]]:
        """Rates [Hz] and CVs of E and I in mean field."""
        return solve(self.efficacy(k), k, nu_x, self.noise)

    def residuals(self, data: Recordings) -> Float[Array, " n"]:
        """Relative errors of theory."""
        rate, cv = self.solve(data.k, data.nu_x)
        return data.logs() - logs(rate, None if data.cv is None else cv)


class PowerScaling(AbstractScaling):
    """a (K/1000)^-alpha."""

    a: Float[Array, ""]
    alpha: Float[Array, ""]
    noise: AbstractNoise

    def __init__(self, a: float | Array = A, alpha: float | Array = 0.5, noise: AbstractNoise | None = None):
        self.a, self.alpha, self.noise = as_leaf(a), as_leaf(alpha), jn.theory.ItoNoise() if noise is None else noise

    def _efficacy(self, k: Float[Array, " n"]) -> Float[Array, " n"]:
        return self.a * (k / K) ** -self.alpha

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"a": Positive(), "alpha": Unbounded()}


class GainScaling(AbstractScaling):
    """What keeps the gain of the network as K grows, (D10): a at K = 1000 says all of it."""

    a: Float[Array, ""]
    noise: AbstractNoise

    def __init__(self, a: float | Array = A, noise: AbstractNoise | None = None):
        self.a, self.noise = as_leaf(a), jn.theory.ItoNoise() if noise is None else noise

    def _efficacy(self, k: Float[Array, " n"]) -> Float[Array, " n"]:
        like = network(self.a, as_leaf(K), as_leaf(NU_X[0]))
        return jn.theory.scale_efficacy(k, like=like, noise=self.noise)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"a": Positive()}


def network(a: Array, k: Array | float, nu_x: Array, **sizes: Any) -> jn.Network:
    """The network of Sanzeni, Histed and Brunel (2022) with one efficacy."""
    return jn.networks.conductance_based(a=a, k=k, g=G, nu_x=nu_x, **sizes)


@jax.custom_jvp
def solve(
    a: Float[Array, " networks"], k: Float[Array, " networks"], nu_x: Float[Array, " networks"], noise: AbstractNoise
) -> tuple[Float[Array, "networks 2"], Float[Array, "networks 2"]]:
    """Rates [Hz] and CVs of E and I in mean field, with derivatives by the efficacy of each network."""
    return _solved(a, k, nu_x, noise)[0]


@solve.defjvp
def _solve_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    values, slopes = _solved(*primals)
    return values, tuple(slope * tangents[0][:, None] for slope in slopes)  # of K and nu_X there are none


def _solved(a: Array, k: Array, nu_x: Array, noise: AbstractNoise) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """`_solve` of at least `_NETWORKS`, the last one again, so that few networks share the program of many."""
    n = a.size
    rows = np.minimum(np.arange(max(n, _NETWORKS)), n - 1)
    found = aside(_solve, a[rows], k[rows], nu_x[rows], noise)
    return jax.tree.map(lambda x: x[:n], found)


@eqx.filter_jit
def _solve(a: Array, k: Array, nu_x: Array, noise: AbstractNoise) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Values and their slopes: one program for all laws, fitted or not, whose compilation is most of the time.

    One network after another, for a search then ends where it has found its root.
    """

    def one(at: tuple[Array, Array, Array]) -> tuple[Any, Any]:
        def answer(efficacy: Array) -> tuple[Array, Array]:
            found = jn.theory.mean_field(network(efficacy, *at[1:]), noise=noise, throw=False)
            return jnp.stack([found.rate["E"], found.rate["I"]]), jnp.stack([found.cv["E"], found.cv["I"]])

        return jax.jvp(answer, at[:1], (jnp.ones_like(at[0]),))

    return jax.lax.map(one, (a, k, nu_x))


def aside(function: Callable[..., Any], *args: Any) -> Any:
    """The function's value, from a thread in which nothing is differentiated.

    JAX (0.10) compiles a jitted function once more where it is called under `vmap` or `jacfwd`, for each size of the
    batch, although nothing that it is given belongs to them.
    """
    if not is_concrete(args):
        return function(*args)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def conditions(in_degrees: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """K and nu_X of every network: all in-degrees at each external rate."""
    k, nu_x = np.meshgrid(np.asarray(in_degrees, float), NU_X)
    return k.ravel(), nu_x.ravel()
