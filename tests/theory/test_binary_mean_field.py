"""Activities of binary networks: published numbers, independent sums, derivatives, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats

import jaxneuro as jn
from jaxneuro._numerics import Moments
from jaxneuro.theory._binary import _narrowness
from jaxneuro.theory._binary_law import step
from jaxneuro.theory._binary_staircase import _below

GAUSS = jn.theory.GaussianField()
# A window of 220 counts reaches six standard deviations to either side at K m = 330 and costs a tenth of the default.
POISSON = jn.theory.PoissonField(220)


def rates(net, field=POISSON):
    mf = jn.theory.mean_field(net, field=field)
    return np.array([mf.rate["E"], mf.rate["I"]])


def poisson_map(m, k, m0, weights, outside, thresholds):
    """F of both populations by sums over scipy's Poisson laws: n_I below the bound that n_E leaves."""
    result, root = [], np.sqrt(k)
    n_e = np.arange(int(k * m[0] + 14 * np.sqrt(k * m[0]) + 40))
    for (j_e, j_i), e, theta in zip(weights, outside, thresholds, strict=True):
        bound = (j_e * n_e / root + root * e * m0 - theta) / (-j_i) * root
        below = scipy.stats.poisson.cdf(np.ceil(bound) - 1, k * m[1])
        result.append(np.sum(scipy.stats.poisson.pmf(n_e, k * m[0]) * below))
    return np.array(result)


def test_the_slope_of_a_staircase_is_that_of_a_ramp_as_wide_as_the_largest_weight():
    """P(n < x) of the counts 2 to 5: at 3.4 the line from 2.4, where it is 0.1, to 4.4, where it is 0.6."""
    cumulative, first, two, up = jnp.asarray([0.1, 0.3, 0.6, 1.0]), jnp.asarray(2), jnp.asarray(2.0), jnp.asarray(1.0)
    value, slope = jax.value_and_grad(_below)(jnp.asarray(3.4), cumulative, first, two, up)
    np.testing.assert_allclose([value, slope], [0.3, (0.6 - 0.1) / 2.0], rtol=1e-6)


CLASSIC = dict(weights=[(1.0, -2.0), (1.0, -1.8)], outside=(1.0, 0.8), thresholds=(1.0, 0.7))
PRINTED = [(0.025, 0.0), (0.05, 0.0127), (0.1, 0.0583), (0.2, 0.155), (0.3, 0.253)]


@pytest.mark.parametrize(("m0", "printed"), PRINTED)
def test_printed_activities_at_k_1000(m0, printed):
    m = rates(jn.networks.binary(k=1_000, m0=m0))
    assert m[0] == pytest.approx(printed, abs=0.6 * 10 ** -len(f"{printed}".split(".")[1]))
    if m0 == 0.1:
        assert m[1] == pytest.approx(0.0783, abs=5e-5)
    np.testing.assert_allclose(poisson_map(m, 1_000, m0, **CLASSIC), m, atol=1e-9)


def exact_map(m, k, m0):
    """F of the classic network in whole numbers, fields and thresholds times 50 root; a tie is inactive."""
    root = round(k**0.5)
    n_e, n_i = (np.arange(int(k * x + 14 * np.sqrt(k * x) + 40)) for x in m)
    result = []
    for j_e, j_i, e, theta in [(50, -100, 50, 50), (50, -90, 40, 35)]:
        field = j_e * n_e[:, None] + j_i * n_i + round(e * m0 * k) - theta * root
        laws = [scipy.stats.poisson.pmf(n, k * x) for n, x in zip((n_e, n_i), m, strict=True)]
        result.append(laws[0] @ (field > 0) @ laws[1])
    return np.array(result)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("k", [100, 400, 1_600])
def test_ties_with_the_threshold_are_inactive(k):
    """At whole roots of K many fields lie on the threshold; rounding must not decide, in either dtype."""
    m = rates(jn.networks.binary(k=k, n_e=10_000, n_i=10_000, m0=0.1))
    np.testing.assert_allclose(exact_map(m, k, 0.1), m, atol=1e-9 if m.dtype == np.float64 else 1e-5)


@pytest.mark.float32
def test_balance_activities():
    mf = jn.theory.mean_field(jn.networks.binary(k=1_000, m0=0.1), field=GAUSS)
    assert float(mf.balance["E"]) == pytest.approx(0.1, rel=1e-5)
    assert float(mf.balance["I"]) == pytest.approx(0.1, rel=1e-5)
    assert "relaxation" in str(mf)
    assert float(mf.rate["E"]) == pytest.approx(0.058667, rel=1e-4)


def test_offset_from_balance_shrinks_like_one_over_root_k():
    """Above the threshold the activity is linear; what is missing to balance halves at four times K."""
    missing = [0.2 - rates(jn.networks.binary(k=k, n_e=10**9, n_i=10**9, m0=0.2), GAUSS)[0] for k in (10**6, 4 * 10**6)]
    # The next order, 1 / K, is a hundredth of the leading one at K = 10^6.
    assert missing[0] / missing[1] == pytest.approx(2.0, rel=0.02)


def test_poisson_counts_tend_to_the_gaussian_field():
    """The difference is the skewness of the counts and their lattice, of order 1 / sqrt(K)."""
    for k, allowed in ((100, 0.2), (1_600, 0.0168)):
        net = jn.networks.binary(k=k, m0=0.2)
        np.testing.assert_allclose(rates(net), rates(net, GAUSS), rtol=allowed)


@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.3, 3.0])
def test_gaussian_activity_and_overlap_by_quadrature(temperature):
    """Self-consistency of m and q with scipy's adaptive integrals, from the fields that the result names."""
    net = jn.networks.binary(k=500, m0=0.15, temperature=temperature)
    mf = jn.theory.mean_field(net, field=GAUSS)

    def on(u):
        return float(u > 0) if temperature == 0 else 1 / (1 + np.exp(-u / temperature))

    def mean(u, variance):
        if temperature == 0:
            return scipy.stats.norm.cdf(u / np.sqrt(variance))
        edge = -u / np.sqrt(variance)
        inner = [p for p in (edge - 0.3, edge, edge + 0.3) if -9 < p < 9]
        return scipy.integrate.quad(
            lambda z: scipy.stats.norm.pdf(z) * on(u + np.sqrt(variance) * z), -9, 9, points=inner or None, limit=300
        )[0]

    z = np.linspace(-9, 9, 91)  # the trapezoidal rule of a smooth function: exp(-2 pi^2 / 0.2^2)
    for name in ("E", "I"):
        u, alpha, beta = (float(getattr(mf, field)[name]) for field in ("u", "alpha", "beta"))
        assert float(mf.rate[name]) == pytest.approx(mean(u, alpha), rel=1e-6)
        given = np.array([mean(u + np.sqrt(beta) * x, alpha - beta) ** 2 for x in z])
        assert float(mf.q[name]) == pytest.approx(np.sum(scipy.stats.norm.pdf(z) * given) * (z[1] - z[0]), rel=1e-6)


def test_poisson_overlap_by_sampling():
    """q from 100,000 units, each with its own shared counts, and the mean of its squared chance to be active."""
    net = jn.networks.binary(k=200, n_e=4_000, n_i=4_000, m0=0.2)
    mf = jn.theory.mean_field(net, field=jn.theory.PoissonField(160))
    generator, size, root = np.random.default_rng(0), 100_000, np.sqrt(200.0)
    m, q = (np.array([float(getattr(mf, field)[n]) for n in ("E", "I")]) for field in ("rate", "q"))
    shared = generator.poisson(200 * q, (size, 2))
    for k in range(2):
        (j_e, j_i), e, theta = CLASSIC["weights"][k], CLASSIC["outside"][k], CLASSIC["thresholds"][k]
        active = []
        for _ in range(2):
            n = shared + generator.poisson(200 * (m - q), (size, 2))
            active.append((j_e * n[:, 0] + j_i * n[:, 1]) / root + root * e * 0.2 - theta > 0)
        both = active[0] & active[1]
        assert abs(both.mean() - q[k]) < 4 * np.sqrt(q[k] * (1 - q[k]) / size)
        assert abs(active[0].mean() - m[k]) < 4 * np.sqrt(m[k] * (1 - m[k]) / size)
        assert m[k] ** 2 < q[k] < m[k]


@pytest.mark.parametrize("k", [10_000, pytest.param(100_000, marks=pytest.mark.proof)])
def test_many_counts_along_one_input_after_the_other(k):
    """The default at T = 0 has the activities of scipy's sums, and overlaps near those of the limit."""
    mf = jn.theory.mean_field(jn.networks.binary(k=k, n_e=20 * k, n_i=20 * k, m0=0.1))
    m = np.array([float(mf.rate[name]) for name in ("E", "I")])
    # 10,000 has a whole root, and many fields on the threshold.
    expected = exact_map(m, k, 0.1) if k == 10_000 else poisson_map(m, k, 0.1, **CLASSIC)
    np.testing.assert_allclose(expected, m, atol=1e-9)
    # The distance from the limit of large K falls like 1/sqrt(K).
    q = jn.theory.mean_field(jn.networks.binary(k=k, n_e=20 * k, n_i=20 * k, m0=0.1), field=GAUSS).q
    for name in ("E", "I"):
        assert abs(float(mf.q[name]) / float(q[name]) - 1.0) < 2.0 / np.sqrt(k)


def test_overlaps_and_damage_by_the_table_and_along_one_input():
    net = jn.networks.binary(k=200, n_e=4_000, n_i=4_000, m0=0.2)
    table, along = (jn.theory.mean_field(net, field=field) for field in (jn.theory.PoissonField(160), None))
    for name in ("E", "I"):
        np.testing.assert_allclose(along.q[name], table.q[name], rtol=1e-9)
    np.testing.assert_allclose([along.lyapunov, along.relaxation], [table.lyapunov, table.relaxation], rtol=1e-9)


def test_damage_grows_faster_the_larger_k():
    """The first growth is of order sqrt(K) / tau: chaos at any K, an infinite exponent in the limit."""
    growth = [
        float(jn.theory.mean_field(jn.networks.binary(k=k, m0=0.2), field=POISSON).lyapunov) for k in (100, 400, 1_600)
    ]
    # The growth less 1 / tau = 100 Hz is twice as large at four times K; a tenth is left to the change of m.
    gained = np.array(growth) + 100.0
    np.testing.assert_allclose(gained[1:] / gained[:-1], 2.0, rtol=0.15)
    assert np.isinf(jn.theory.mean_field(jn.networks.binary(m0=0.2), field=GAUSS).lyapunov)


def one_population(field, temperature=0.0, k=50.0):
    net = jn.BinaryNetwork(
        {"S": jn.Population(jn.Binary(-0.5, temperature=temperature, tau=5.0), 2_000)},
        [jn.BinaryProjection("S", "S", weight=-0.2, connectivity=jn.Bernoulli(k / 2_000, autapses=True))],
    )
    return jn.theory.mean_field(net, field=field)


@pytest.mark.parametrize(("off", "narrower"), [(0.0, 0.0), (0.9e-5, 0.0), (1.1e-5, 0.100011), (-1.1e-5, 0.099989)])
def test_a_number_of_inputs_is_binomial_within_rounding(off, narrower):
    """100 of 1,000 have a variance of 90: what differs by less than 1e-5 of the mean is drawn one by one."""
    number = Moments(jnp.asarray(100.0), jnp.asarray(90.0 - 100.0 * off))
    np.testing.assert_allclose(_narrowness(number, 1_000), narrower, rtol=1e-9)


def test_a_step_of_no_width_has_no_slope_of_any_order():
    """Where no input has a weight the threshold rule is flat; that its width is 0 leads to no NaN."""

    def slope(width, u=0.3):
        return jax.jvp(lambda x: step(x, width), (jnp.asarray(u),), (jnp.asarray(1.0),))[1]

    np.testing.assert_array_equal(jax.value_and_grad(slope)(jnp.asarray(0.0)), (0.0, 0.0))
    np.testing.assert_allclose(jax.value_and_grad(slope)(jnp.asarray(2.0)), (0.5, -0.25))


def test_one_population_by_root_finding():
    """n < 2.5 active inputs of weight -0.2 leave the field above the threshold."""
    root = scipy.optimize.brentq(lambda m: scipy.stats.poisson.cdf(2, 50 * m) - m, 0.0, 1.0)
    mf = one_population(jn.theory.PoissonField())
    assert float(mf.rate["S"]) == pytest.approx(root, rel=1e-9)
    # One more input decides where there are two: the slope of F is -K P(n = 2), that of damage +K P(n = 2).
    slope = 50 * scipy.stats.poisson.pmf(2, 50 * root)
    assert float(mf.relaxation) == pytest.approx(5.0 / (1 + slope), rel=1e-9)
    assert float(mf.lyapunov) == pytest.approx(1_000 * (slope - 1) / 5.0, rel=1e-9)


@pytest.mark.parametrize(
    ("field", "both_modes"),
    [
        pytest.param(GAUSS, True, id="gaussian"),
        pytest.param(jn.theory.PoissonField(80), False, id="poisson, forward"),
        pytest.param(jn.theory.PoissonField(80), True, id="poisson", marks=pytest.mark.proof),
    ],
)
def test_derivatives_against_differences(field, both_modes):
    """At T > 0 the sums over counts are smooth too; every kind of argument, in m, q and the exponent."""
    start = jnp.array([50.0, -2.0, 0.2, 1.0, 0.15])

    def solved(x):
        net = jn.networks.binary(k=x[0], n_e=4_000, n_i=4_000, j_ei=x[1], m0=x[2], theta_e=x[3], temperature=x[4])
        mf = jn.theory.mean_field(net, field=field, throw=False)
        last = mf.lyapunov / 1_000 if field is not GAUSS else mf.rate["I"]
        return jnp.stack([mf.rate["E"], mf.q["I"], last])

    slope_and_value = jax.jit(jax.jacfwd(lambda x: (solved(x),) * 2, has_aux=True))
    forward = slope_and_value(start)[0]
    if both_modes:
        np.testing.assert_allclose(jax.jit(jax.jacrev(solved))(start), forward, rtol=1e-8, atol=1e-12)
    for i, h in enumerate(1e-4 * np.abs(np.asarray(start))):
        step = np.zeros(5)
        step[i] = h
        difference = (slope_and_value(start + step)[1] - slope_and_value(start - step)[1]) / (2 * h)
        np.testing.assert_allclose(forward[:, i], difference, rtol=2e-4, atol=1e-7)


@pytest.mark.float32
def test_fixed_in_degrees_have_less_variance():
    """A fixed in-degree K has binomial counts: the variance of the field is J^2 K m (1 - m)."""
    net = jn.BinaryNetwork(
        {"S": jn.Population(jn.Binary(-1.0))},
        [jn.BinaryProjection("S", "S", weight=-0.1, connectivity=jn.FixedInDegree(100))],
    )
    mf = jn.theory.mean_field(net, field=GAUSS)
    m = float(mf.rate["S"])
    assert float(mf.alpha["S"]) == pytest.approx(0.01 * 100 * m * (1 - m), rel=1e-4)
    assert m == pytest.approx(scipy.stats.norm.cdf((1.0 - 10 * m) / np.sqrt(m * (1 - m))), rel=1e-3)


def test_coexisting_states_are_all_found():
    """Strong excitation: silent and fully active are both stable, one between is not."""
    net = jn.BinaryNetwork(
        {"S": jn.Population(jn.Binary(1.0))},
        [jn.BinaryProjection("S", "S", weight=0.04, connectivity=jn.FixedInDegree(100))],
    )
    mf = jn.theory.mean_field(net, field=GAUSS)
    known = np.asarray(mf.branches["S"])[~np.isnan(mf.branches["S"])]
    assert known[0] == 0.0
    assert known[-1] == pytest.approx(1.0, abs=1e-6)
    assert float(mf.rate["S"]) == known[-1]


def described(rule=None, n_populations=1, weight=1.0, **unit):
    names = "ABCDE"[:n_populations]
    populations = {n: jn.Population(jn.Binary(**unit), 50) for n in names}
    rule = jn.Bernoulli(0.1) if rule is None else rule
    return jn.BinaryNetwork(populations, [jn.BinaryProjection("A", "A", weight=weight, connectivity=rule)])


TWICE = jn.BinaryNetwork(described().populations, [*described().projections, *described().projections])
WRONG = [
    (lambda: jn.theory.mean_field(described(jn.AllToAll())), "is for sparse random connections"),
    (lambda: jn.theory.mean_field(described(n_populations=5)), "at most 4 populations; there are 5"),
    (lambda: jn.theory.mean_field(described(n_populations=3), field=POISSON), "`n_counts` = 220 of 3 populations"),
    (lambda: jn.theory.mean_field(described(jn.FixedInDegree(5))), "is for `Bernoulli` connectivity"),
    (lambda: jn.theory.mean_field(described(weight=np.ones(50))), "`weight` of .* has to be one number"),
    (lambda: jn.theory.mean_field(described(threshold=np.ones(50))), "`threshold` of 'A' has to be one number"),
    (lambda: jn.theory.mean_field(TWICE), "takes one projection from 'A' to 'A'"),
    (lambda: jn.theory.mean_field(described(), noise=jn.theory.EffectiveNoise()), "`noise` is of a network of neurons"),
    (lambda: jn.theory.mean_field(described(), field=3), r"`field` has to be `PoissonField\(\)`"),
    (lambda: jn.theory.mean_field(jn.networks.brunel(), field=GAUSS), "`field` is of a BinaryNetwork"),
    (lambda: jn.theory.mean_field(3), "`net` has to be a Network or a BinaryNetwork"),
    (lambda: jn.theory.PoissonField(1), "`n_counts` has to be an integer above 1"),
    (lambda: rates(jn.networks.binary(k=10**5, n_e=10**6, n_i=10**6, temperature=0.1), None), "needs sums over"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG, ids=[sentence[:40] for _, sentence in WRONG])
@pytest.mark.usefixtures("as_users_run")
def test_wrong_arguments_are_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_sums_that_are_too_short_say_so():
    with pytest.raises(RuntimeError, match="The sums over counts are too short"):
        jn.theory.mean_field(jn.networks.binary(m0=0.1), field=jn.theory.PoissonField(56))


def code(k, field):
    """The result where the in-degree is known only as the program runs."""
    solve = jax.jit(lambda k: jn.theory.mean_field(binary(k), field=field, throw=False).result)
    return [solve(each) for each in k]


def binary(k):
    return jn.networks.binary(k=k, n_e=10**6, n_i=10**6, m0=0.5)


def test_sums_over_an_open_in_degree_say_that_they_are_too_short():
    assert code([3_000.0, 100.0], jn.theory.PoissonField(160)) == [jn.Result.short_window, jn.Result.successful]


@pytest.mark.proof
def test_the_default_sums_over_an_open_in_degree():
    with pytest.raises(RuntimeError, match="The sums over counts are too short"):
        jn.theory.mean_field(jn.networks.binary(m0=0.1), field=jn.theory.PoissonField(40))
    assert code([30_000.0, 1_000.0], None) == [jn.Result.short_window, jn.Result.successful]


def test_the_overlap_of_a_fixed_in_degree_by_quadrature():
    # Inhibition of a fixed in-degree, and excitation of a random one from outside, which sets the units apart:
    # alpha = J^2 K m (1 - m) + J_X^2 K_X m_X, beta = J^2 K (q - m^2) + J_X^2 K_X m_X^2, q = int Dx H(..)^2, by scipy.
    k, j, theta, k_x, j_x, m_x = 200, -1.5 / np.sqrt(200), 1.0, 100, 0.1, 0.3
    net = jn.BinaryNetwork(
        {
            "I": jn.Population(jn.Binary(theta), 4_000),
            "X": jn.Population(jn.Binary(np.log(0.7 / 0.3), temperature=1.0), 2_000),
        },
        [
            jn.BinaryProjection("I", "I", weight=j, connectivity=jn.FixedInDegree(k)),
            jn.BinaryProjection("X", "I", weight=j_x, connectivity=jn.Bernoulli(k_x / 2_000)),
        ],
    )
    mf = jn.theory.mean_field(net, field=GAUSS)
    tail = scipy.stats.norm.sf

    def moments(m):
        return j * k * m + j_x * k_x * m_x - theta, j**2 * k * m * (1 - m) + j_x**2 * k_x * m_x

    def activity(m):
        u, alpha = moments(m)
        return tail(-u / np.sqrt(alpha)) - m

    m = scipy.optimize.brentq(activity, 1e-6, 0.6, xtol=1e-14)
    u, alpha = moments(m)

    def spread(q):
        return j**2 * k * (q - m * m) + j_x**2 * k_x * m_x**2

    def overlap(q):
        def square(x):
            given = tail(-(u + np.sqrt(spread(q)) * x) / np.sqrt(alpha - spread(q)))
            return scipy.stats.norm.pdf(x) * given**2

        return scipy.integrate.quad(square, -9, 9, epsabs=1e-13)[0] - q

    q = scipy.optimize.brentq(overlap, m * m, 0.9 * m, xtol=1e-14)
    assert q > 1.05 * m * m
    np.testing.assert_allclose([mf.rate["I"], mf.q["I"]], [m, q], rtol=1e-7)
    np.testing.assert_allclose([mf.alpha["I"], mf.beta["I"]], [alpha, spread(q)], rtol=1e-6)


def test_a_random_external_population(as_users_run):
    # Its activity is m_0, it adds E^2 m_0 to the variance of the field of E, and leaves its mean.
    def solve(**external):
        return jn.theory.mean_field(jn.networks.binary(k=200, n_e=4_000, n_i=4_000, **external), field=GAUSS)

    mf = solve(external=jn.Bernoulli(0.05), n_x=4_000)
    np.testing.assert_allclose([mf.rate["X"], mf.q["X"], mf.balance["X"]], [0.1, 0.01, 0.1], rtol=1e-10)
    np.testing.assert_allclose([mf.balance["E"], mf.balance["I"]], [0.1, 0.1], rtol=1e-10)
    m_e, m_i = (float(mf.rate[name]) for name in ("E", "I"))
    np.testing.assert_allclose(mf.alpha["E"], m_e + 4.0 * m_i + 0.1, rtol=1e-10)
    np.testing.assert_allclose(mf.alpha["I"], m_e + 3.24 * m_i + 0.64 * 0.1, rtol=1e-10)
    np.testing.assert_allclose(mf.u["E"], np.sqrt(200) * (m_e - 2.0 * m_i + 0.1) - 1.0, rtol=1e-9)
    for wrong, sentence in [
        ({"external": jn.Bernoulli(0.05)}, "`external` and `n_x` belong together"),
        ({"external": jn.FixedInDegree(5), "n_x": 100}, "`external` has to be a rule such as"),
        ({"external": jn.Bernoulli(0.05), "n_x": 100, "m0": 0.0}, "`m0` has to lie between 0 and 1"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            jn.networks.binary(k=20, n_e=400, n_i=400, **wrong)
