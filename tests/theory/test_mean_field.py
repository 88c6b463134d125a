"""Mean field against root finding in scipy on the printed equations, and against published numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize, special

import jaxneuro as jn


def siegert(mu, sigma, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0):
    """Equation (10) by adaptive quadrature, in 1/ms."""
    low, high = (v_reset - mu) / sigma, (v_th - mu) / sigma
    integral = integrate.quad(lambda x: special.erfcx(-x), low, high, epsabs=0, epsrel=1e-12, limit=200)[0]
    return 1.0 / (t_ref + tau * np.sqrt(np.pi) * integral)


def brunel_phi(nu, g, ratio, nu_i=None, **neuron):
    """The rate [Hz] in answer to the rates `nu`, `nu_i` [Hz] in Brunel's network, by its equations."""
    tau, j, c_e, c_i = neuron.get("tau", 20.0), 0.1, 1_000, 250
    nu_ext = ratio * 20.0 / (j * c_e * 20.0)
    nu_e, nu_i = nu / 1000, (nu if nu_i is None else nu_i) / 1000
    mu = tau * j * (c_e * (nu_ext + nu_e) - g * c_i * nu_i)
    sigma = j * np.sqrt(tau * (c_e * (nu_ext + nu_e) + g**2 * c_i * nu_i))
    return 1000 * siegert(mu, sigma, **neuron)


PUBLISHED = [
    (5.0, 2.0, 37.9497, 0.6753),
    (6.0, 4.0, 55.841, 0.7361),
    (3.0, 2.0, 327.01, None),
    (4.5, 0.9, 6.5167, None),
]


@pytest.mark.float32
@pytest.mark.parametrize(("g", "ratio", "rate", "cv"), PUBLISHED, ids=["AI", "fast SI", "SR", "slow SI"])
def test_brunel_network(g, ratio, rate, cv):
    mf = jn.theory.mean_field(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio))
    x64 = jax.config.jax_enable_x64
    root = optimize.brentq(lambda nu: brunel_phi(nu, g, ratio) - nu, 1e-3 * rate, 499.0, xtol=1e-12, rtol=1e-14)
    np.testing.assert_allclose(mf.rate["E"], root, rtol=1e-10 if x64 else 1e-4)
    np.testing.assert_allclose(mf.rate["E"], rate, rtol=2e-5 if x64 else 1e-4)  # the digits given
    if cv is not None:
        np.testing.assert_allclose(mf.cv["E"], cv, atol=5e-5 if x64 else 2e-4)
    assert mf.rate["I"] == mf.rate["E"]
    assert mf.stable
    assert mf.exhaustive
    assert mf.result == jn.Result.successful


@pytest.mark.parametrize(
    ("g", "rates"), [(20.0, (21.650, 92.516, 191.33)), (30.0, (9.8007, 42.281, 94.224))], ids=["g=20", "g=30"]
)
def test_conductance_based_network(g, rates):
    for nu_x, rate in zip((20.0, 50.0, 100.0), rates, strict=True):
        mf = jn.theory.mean_field(jn.networks.conductance_based(a=0.0016, k=1_000, g=g, gamma=0.25, nu_x=nu_x))
        np.testing.assert_allclose(mf.rate["E"], rate, rtol=3e-5)  # the digits given
        # Equations (5), (6), (10), (19), written out.
        nu = float(mf.rate["E"])
        r_e, r_i, a, k, gamma = (nu + nu_x) / 1000, nu / 1000, 0.0016, 1_000, 0.25
        tau = 1 / (1 / 20 + a * k * (r_e + r_i * g * gamma))
        mu = tau * (-80.0 / 20 + a * k * r_i * g * gamma * -75.0)
        sigma = np.sqrt(a**2 * k * tau * (r_e * mu**2 + g**2 * gamma * r_i * (mu + 75.0) ** 2))
        np.testing.assert_allclose([mf.tau["E"], mf.mu["E"], mf.sigma["E"]], [tau, mu, sigma], rtol=1e-10)
        np.testing.assert_allclose(1000 * siegert(mu, sigma, tau, -55.0, -65.0, 2.0), nu, rtol=1e-9)


@pytest.mark.parametrize(("g", "ratio"), [(3.5, 0.65), (3.8, 0.7), (4.5, 0.7), (5.0, 0.5)])
def test_every_branch_is_found_and_labelled(g, ratio):
    grid = np.geomspace(1e-10, 499.9, 4_000)
    residual = np.array([brunel_phi(nu, g, ratio) - nu for nu in grid])
    at = np.nonzero(np.sign(residual[:-1]) != np.sign(residual[1:]))[0]
    roots = [optimize.brentq(lambda n: brunel_phi(n, g, ratio) - n, grid[i], grid[i + 1], rtol=1e-14) for i in at]
    mf = jn.theory.mean_field(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio))
    branches = np.asarray(mf.branches["E"])
    found = branches[~np.isnan(branches)]
    if residual[0] < 0:  # and the quiescent state below the grid
        np.testing.assert_allclose(found[0], brunel_phi(0.0, g, ratio), rtol=1e-6)
        found = found[1:]
    np.testing.assert_allclose(found, roots, rtol=1e-9)
    for rate, stable in zip(branches, mf.branch_stable, strict=True):
        if rate > 1e-8:
            h = 1e-4 * rate
            slope = (brunel_phi(rate + h, g, ratio) - brunel_phi(rate - h, g, ratio)) / (2 * h)
            assert bool(stable) == (slope < 1)


def two_populations(g=5.0, ratio=2.0, tau_i=15.0):
    """Brunel's network with faster inhibitory neurons: two unknowns."""
    net = jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio)
    populations = {"E": net.populations["E"], "I": jn.Population(jn.LIF(tau_m=tau_i), 2_500)}
    return jn.Network(populations, net.projections, net.drives)


@jax.jit
def solved_and_slope(tau_i):
    """The mean field and the slopes of its rates, in one program for the tests that follow.

    In jit no values are known, nor which are equal: two unknowns.
    """

    def solve(tau_i):
        mf = jn.theory.mean_field(two_populations(tau_i=tau_i), throw=False)
        return jnp.stack(list(mf.rate.values())), mf

    rates, slopes, mf = jax.jvp(solve, (tau_i,), (jnp.ones_like(tau_i),), has_aux=True)
    return mf, rates, slopes


def two_rates(x, g, ratio, tau_i):
    e = brunel_phi(x[0], g, ratio, nu_i=x[1]) - x[0]
    # The drive of the inhibitory neurons is the same number of spikes: nu_thr is that of E.
    return [e, brunel_phi(x[0], g, ratio, nu_i=x[1], tau=tau_i) - x[1]]


def test_two_unknowns():
    mf = solved_and_slope(jnp.asarray(15.0))[0]
    assert mf.result == jn.Result.successful
    assert not mf.exhaustive
    start = [float(mf.rate["E"]) * 1.1, float(mf.rate["I"]) * 0.9]
    roots = optimize.fsolve(lambda x: two_rates(x, 5.0, 2.0, 15.0), start, xtol=1e-13)
    np.testing.assert_allclose([mf.rate["E"], mf.rate["I"]], roots, rtol=1e-9)
    assert mf.stable == np.all(
        np.linalg.eigvals(optimize.approx_fprime(roots, lambda x: two_rates(x, 5.0, 2.0, 15.0))).real < 0
    )


def test_one_and_two_unknowns_agree():
    one = jn.theory.mean_field(jn.networks.brunel())
    two = solved_and_slope(jnp.asarray(20.0))[0]
    assert one.exhaustive
    assert not two.exhaustive
    np.testing.assert_allclose(two.rate["E"], one.rate["E"], rtol=1e-10)
    np.testing.assert_allclose(two.rate["I"], one.rate["E"], rtol=1e-10)


def conductance(x):
    """The rate of the conductance-based network as a function of a, K, g, gamma and nu_X."""
    net = jn.networks.conductance_based(a=x[0], k=x[1], g=x[2], gamma=x[3], nu_x=x[4], n_e=10_000, n_i=2_500)
    return jn.theory.mean_field(net, throw=False).rate["E"]


def test_vmap_equals_the_loop_and_gradients_are_differences():
    x = np.asarray([0.0016, 1_000.0, 20.0, 0.25, 20.0])
    steps = 1e-5 * x
    points = np.concatenate([x[None], x + np.diag(steps), x - np.diag(steps)])
    rates, slopes = jax.jit(jax.vmap(jax.value_and_grad(conductance)))(jnp.asarray(points))
    # Outside of jit the values are known, and with them that E and I are alike: one unknown.
    np.testing.assert_allclose(rates, [conductance(point) for point in jnp.asarray(points)], rtol=1e-10)
    assert np.isfinite(slopes).all()
    np.testing.assert_allclose(slopes[0], (rates[1:6] - rates[6:]) / (2 * steps), rtol=1e-6)


def test_implicit_derivatives_of_two_unknowns():
    (_, up, _), (_, _, slopes), (_, down, _) = (solved_and_slope(jnp.asarray(t)) for t in (15.001, 15.0, 14.999))
    np.testing.assert_allclose(slopes, (up - down) / 0.002, rtol=1e-6)


@pytest.mark.proof
def test_both_modes_give_the_implicit_derivatives():
    x = jnp.asarray([0.0016, 1_000.0, 20.0, 0.25, 20.0])
    np.testing.assert_allclose(jax.jit(jax.jacfwd(conductance))(x), jax.jit(jax.grad(conductance))(x), rtol=1e-10)

    def rates(tau_i):
        return jnp.stack(list(jn.theory.mean_field(two_populations(tau_i=tau_i), throw=False).rate.values()))

    np.testing.assert_allclose(jax.jit(jax.jacrev(rates))(15.0), jax.jit(jax.jacfwd(rates))(15.0), rtol=1e-10)


@pytest.mark.proof
def test_second_implicit_derivative():
    x = jnp.asarray([0.0016, 1_000.0, 20.0, 0.25, 20.0])
    slope = jax.jit(jax.grad(conductance))
    curvature = (slope(x.at[2].add(1e-3)) - slope(x.at[2].add(-1e-3)))[2] / 2e-3
    second = jax.jit(lambda v: jax.jvp(jax.grad(conductance), (x,), (v,))[1])(jnp.eye(5)[2])
    np.testing.assert_allclose(second[2], curvature, rtol=1e-5)


def test_an_external_population_is_a_drive():
    lif = jn.LIF()
    brunel = jn.networks.brunel()
    external = [
        jn.Projection("X", ("E", "I"), jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedInDegree(1_000), delay=1.5)
    ]
    populations = {"E": jn.Population(lif), "I": jn.Population(lif), "X": jn.Population(jn.Poisson(20.0))}
    mf = jn.theory.mean_field(jn.Network(populations, [*brunel.projections, *external]))
    np.testing.assert_allclose(mf.rate["E"], jn.theory.mean_field(brunel).rate["E"], rtol=1e-12)
    assert float(mf.rate["X"]) == 20.0


def test_white_noise_and_kicks_have_one_effect():
    # A Poisson drive in the diffusion approximation is a white-noise drive with its mean and variance.
    kicks = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=10.0)
    white = jn.WhiteNoiseDrive("E", mu=20.0 * 0.1 * 10.0, sigma=np.sqrt(20.0 * 0.01 * 10.0))
    rates = [
        float(jn.theory.mean_field(jn.Network({"E": jn.Population(jn.LIF())}, drives=[d])).rate["E"])
        for d in (kicks, white)
    ]
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-12)
    np.testing.assert_allclose(rates[0], 1000 * siegert(20.0, np.sqrt(2.0)), rtol=1e-10)


@pytest.mark.usefixtures("as_users_run")
def test_errors():
    lif = jn.LIF()

    def net(projections=(), drives=(), model=lif):
        return jn.Network({"E": jn.Population(model, 10)}, projections, drives)

    filtered = jn.Projection("E", "E", jn.AlphaCurrent(5.0), weight=0.1, connectivity=jn.FixedInDegree(5), delay=1.0)
    uneven = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=np.linspace(0, 1, 10), n_sources=10, rate=5.0)
    unsized = jn.Network(
        {"E": jn.Population(lif)},
        [jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.Bernoulli(0.1), delay=1.0)],
    )
    for bad, message in [
        (net([filtered]), "course of AlphaCurrent has 2"),
        (net(drives=[uneven]), "`drives.0.*weight.* differs between target neurons|one value a population"),
        (net(model=jn.LIF(tau_m=np.linspace(10, 20, 10))), "those of 'E' differ between neurons"),
        (jn.Network({"X": jn.Population(jn.Poisson(5.0), 10)}), "has no population of neurons"),
        (unsized, "give it its `n`"),
        (lif, "`net` has to be a Network"),
    ]:
        with pytest.raises(ValueError, match=message):
            jn.theory.mean_field(bad)
    with pytest.raises(ValueError, match="`noise` has to be"):
        jn.theory.mean_field(net(), noise="effective")
    with pytest.raises(ValueError, match="no rate of the population 'I'"):
        jn.theory.effective_input(jn.networks.brunel(), {"E": 3.0})


def test_a_silent_network_is_a_result_and_no_nan():
    mf = jn.theory.mean_field(jn.Network({"E": jn.Population(jn.LIF())}))
    assert float(mf.rate["E"]) == 0.0
    assert mf.result == jn.Result.successful


def fold_of_the_active_state(g=3.8):
    """The external rate where the active state of Brunel's network is born: the least at which it exists."""

    def ratio(log_nu):
        nu = np.exp(log_nu)
        return optimize.brentq(lambda r: brunel_phi(nu, g, r) - nu, 0.1, 3.0, xtol=1e-15, rtol=1e-15)

    grid = np.linspace(np.log(2.0), np.log(60.0), 40)
    at = int(np.argmin([ratio(x) for x in grid]))
    found = optimize.minimize_scalar(ratio, bounds=(grid[at - 1], grid[at + 1]), options={"xatol": 1e-9})
    return found.fun


def test_a_fold_is_a_result_and_raises():
    fold = fold_of_the_active_state()

    def solve(ratio, throw=False):
        return jn.theory.mean_field(jn.networks.brunel(g=3.8, nu_ext_over_nu_thr=ratio), throw=throw)

    beyond = solve(fold * (1 + 1e-4))
    assert beyond.result == jn.Result.successful
    assert float(beyond.rate["E"]) > 1.0
    # The two roots are 1e-2 apart here, closer than two points of the grid, and both are found.
    assert np.sum(np.asarray(beyond.branches["E"]) > 1.0) == 2
    assert float(solve(fold * (1 - 1e-6)).rate["E"]) < 1.0  # before it only the quiescent state
    at = solve(fold * (1 + 3e-14))
    assert at.result == jn.Result.at_fold
    with pytest.raises(RuntimeError, match="fold"):
        solve(fold * (1 + 3e-14), throw=True)


def test_new_values_do_not_compile_again():
    from jaxneuro.theory import _mean_field

    jn.theory.mean_field(jn.networks.brunel(g=5.0))
    compiled = _mean_field._solve._cached._cache_size()
    for g in (4, 4.5, np.float32(6.0), np.float64(7.0), jnp.asarray(7.5)):
        jn.theory.mean_field(jn.networks.brunel(g=g, nu_ext_over_nu_thr=1.0 + 0.1 * float(g)))
    assert _mean_field._solve._cached._cache_size() == compiled


@pytest.mark.parametrize("n", [1, 2, 3])
def test_decay_is_that_of_the_eigenvalues(n):
    from jaxneuro.theory._mean_field import decays

    draws = list(np.random.default_rng(n).normal(size=(40, n, n)) - 0.5 * np.eye(n))
    if n == 2:  # a growing pair: determinant and trace are positive; and a node that grows twice
        draws += [np.array([[1.0, -2.0], [2.0, 0.5]]), np.diag([1.0, 2.0]), np.array([[-1.0, -2.0], [2.0, 0.5]])]
    seen = [bool(decays(jnp.asarray(matrix))) for matrix in draws]
    expected = [bool(np.all(np.linalg.eigvals(matrix).real < 0)) for matrix in draws]
    assert seen == expected
    assert {True, False} <= set(expected)
