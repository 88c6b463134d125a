"""Linear response of the LIF neuron in white noise to a modulation of its mean input and of its noise."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics import Shown, check_broadcast, check_finite, check_positive, read_array, told, where_defined
from ._arguments import LifArguments
from ._backward import STEPS, falling, passage_from
from ._rate import rate_kernel


class LifResponse(Shown):
    """How the rate of a neuron answers a small modulation of its input, as complex factors."""

    mu: Complex[Array, "..."]
    """Of the rate to the mean input [Hz/mV]."""
    variance: Complex[Array, "..."]
    """Of the rate to the squared noise sigma^2 [Hz/mV^2]."""


def lif_response(
    omega: ArrayLike,
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
) -> LifResponse:
    """Returns the linear response of a LIF neuron in white noise to modulations of mean and variance.

    With mu + dmu exp(lambda t) and sigma^2 + dvar exp(lambda t), lambda = i omega, the rate is nu + dnu exp(lambda t),
    dnu = R_mu dmu + R_var dvar. With z = lambda tau and u the solution of u''/2 - x u' = z u that is bounded
    far below threshold, u(x) = exp(x^2/2) D_(-z)(-sqrt(2) x),

        R_mu  = nu / sigma       1/(1 + z)  (u'(b) - u'(a))   / (u(b) - exp(-lambda t_ref) u(a)),
        R_var = nu / (2 sigma^2) 1/(2 + z)  (u''(b) - u''(a)) / (u(b) - exp(-lambda t_ref) u(a)),
        a = (v_reset - mu) / sigma,  b = (v_th - mu) / sigma.

    At omega = 0 these are the slopes of `lif_rate`. At high frequencies R_mu falls like nu / (sigma sqrt(z/2)) and
    R_var tends to nu / sigma^2. The neuron is silent for `t_ref` after a spike, so what re-enters at the reset is late
    by t_ref; without the factor exp(-lambda t_ref) the slopes at omega = 0 would be those of t_ref = 0.

    u is followed from below up to the threshold (the adjoint of threshold integration), within 1e-9.

    **Arguments:** numbers or arrays that broadcast together.

    - `omega`: angular frequency [rad/s]; complex for modulations that grow or decay, with -Im omega the growth rate
      [1/s]. The poles, where uncoupled neurons relax, have Im omega > 0.
    - the others as `lif_rate`, with `sigma` > 0.

    **Returns:** a `LifResponse` with `mu` [Hz/mV] and `variance` [Hz/mV^2], complex, in the broadcast shape.

    Raises as `lif_rate`, and `ValueError` where `omega` is no finite number or `sigma` is 0; NaN under jit.

    Derivatives: forward and reverse mode, any order, in every argument; analytic in `omega`.

    ```python
    >>> from jaxneuro.theory import lif_response
    >>> seen = lif_response(2e3 * 3.14159 * 0.1, 15.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> print(f"{seen.mu:.4f} Hz/mV, {seen.variance:.4f} Hz/mV^2")
    0.5864-0.6370j Hz/mV, 0.4945-0.0583j Hz/mV^2

    ```

    Source: Brunel, Chance, Fourcaud, Abbott (2001), Phys Rev Lett 86, 2186, doi:10.1103/PhysRevLett.86.2186, and
    Lindner, Schimansky-Geier (2001), Phys Rev Lett 86, 2934, doi:10.1103/PhysRevLett.86.2934, for the closed form;
    Richardson (2007), Phys Rev E 76, 021919, doi:10.1103/PhysRevE.76.021919, for threshold integration.
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    check_positive("sigma", arguments.sigma)
    frequency = _frequency(omega)
    check_broadcast({"omega": frequency} | vars(arguments))
    return _response(frequency, arguments)


def _frequency(omega: ArrayLike) -> Complex[Array, "..."]:
    """`omega` as a strongly typed complex array."""
    dtype = jnp.result_type(complex)
    if isinstance(omega, jax.Array):
        check_finite("omega", jnp.real(omega))
        check_finite("omega", jnp.imag(omega))
        return lax.convert_element_type(omega, dtype)
    known = np.asarray(read_array(omega, "omega"))
    if known.dtype.kind not in "fiuc":
        raise ValueError(f"`omega` has to be a real or complex number or an array of them; got {told(omega)}.")
    check_finite("omega", np.real(known))
    check_finite("omega", np.imag(known))
    return jnp.asarray(known, dtype)


@jax.jit
def _response(omega: Complex[Array, "..."], arguments: LifArguments) -> LifResponse:
    valid = arguments.valid() & (arguments.sigma > 0.0)
    sigma = jnp.where(valid, arguments.sigma, 1.0)
    mu, _, tau, v_th, v_reset, t_ref = arguments.values()
    found = response_kernel(1e-3j * omega, mu, sigma, tau, v_th, v_reset, t_ref)
    return jax.tree.map(lambda value: where_defined(valid, value, omega, *arguments.values()), found)


def response_kernel(
    growth: Complex[Array, "..."],
    mu: Float[Array, "..."],
    sigma: Float[Array, "..."],
    tau: Float[Array, "..."],
    v_th: Float[Array, "..."],
    v_reset: Float[Array, "..."],
    t_ref: Float[Array, "..."],
    *,
    steps: int = STEPS,
) -> LifResponse:
    """The response at lambda = `growth` [1/ms]."""
    shape = jnp.broadcast_shapes(*(jnp.shape(v) for v in (growth, mu, sigma, tau, v_th, v_reset, t_ref)))
    growth = jnp.broadcast_to(growth, shape)
    mu, sigma, tau, v_th, v_reset, t_ref = (jnp.broadcast_to(v, shape) for v in (mu, sigma, tau, v_th, v_reset, t_ref))
    dtype = growth.dtype
    z = growth * tau.astype(dtype)
    a, b = (v_reset - mu) / sigma, (v_th - mu) / sigma
    seen = passage_from(a, b, z, steps=steps)
    # u(b) - exp(-lambda t_ref) u(a), over z.
    silence = t_ref.astype(dtype) * falling(growth * t_ref.astype(dtype)) / tau.astype(dtype)
    denominator = seen.integral + seen.u_a * silence
    first = seen.w_b - seen.w_a
    # u'' = 2 x u' + 2 z u
    second = 2.0 * (b.astype(dtype) * seen.w_b - a.astype(dtype) * seen.w_a + seen.u_b - seen.u_a)
    rate = rate_kernel(mu, sigma, tau, v_th, v_reset, t_ref)
    return LifResponse(
        mu=(rate / sigma).astype(dtype) / (1.0 + z) * first / denominator,
        variance=(0.5 * rate / jnp.square(sigma)).astype(dtype) / (2.0 + z) * second / denominator,
    )
