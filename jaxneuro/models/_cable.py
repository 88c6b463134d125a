"""Cables: membranes in space."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from .._formulas import Input
from .._numerics import Shown, as_leaf, check_count, check_positive, told
from ._cable_tree import Links, Tree, checked_parents
from ._conductance_neuron import AbstractConductanceNeuron
from ._membrane import MembraneState
from ._ode import AbstractODE, Injected
from ._solver import SDIRK2, AbstractMembraneSolver, AbstractSolver


class Section(Shown):
    """An unbranched piece of a cable, of `n` compartments of equal length.

    **Arguments:** `length` and `diameter` [um]; `n`, a positive integer.

    Raises `ValueError` where a length is not one positive number or `n` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> dendrite = jn.Section(length=300.0, diameter=2.0, n=30)

    ```
    """

    length: Float[Array, ""]
    diameter: Float[Array, ""]
    n: int = eqx.field(static=True)

    def __init__(self, *, length: ArrayLike, diameter: ArrayLike, n: int):
        self.length, self.diameter = as_leaf(length, "length"), as_leaf(diameter, "diameter")
        for name, value in (("length", self.length), ("diameter", self.diameter)):
            if value.ndim:
                raise ValueError(f"`{name}` has to be one number [um]; got the shape {value.shape}.")
        check_positive("length", self.length)
        check_positive("diameter", self.diameter)
        self.n = check_count("n", n, "a positive number of compartments")


class Cable(AbstractODE):
    """A cable, or a small tree of cables, whose membrane carries channels.

        C dV/dt = -sum of I_c(V, x) + I(t) + (1/(pi d)) d/dz ((pi d^2/4)/r_a dV/dz).

    Sealed ends; sections meet in points without a membrane. In space it is a chain of compartments, of second order;
    in time the gates step as in `HodgkinHuxley`, and the potentials of all compartments together by an implicit step:
    `SDIRK2()` (second order, the default), `CrankNicolson()` (second order in one solve and not two, but it rings after
    a jump of the current) or `ImplicitEuler()` (first order).

    **Arguments:**

    - `membrane`: a neuron with channels, such as `HodgkinHuxley()` or `ConductanceNeuron(...)`; its parameters are one
      number, or one a compartment, (n,).
    - `sections`: one `Section` or a list of them; compartments are numbered through the list.
    - `parents`: for each section the one whose far end it starts from, which stands before it in the list; -1 for none
      (several of these meet in one point). By default each follows the one before.
    - `r_a`: axial resistivity [ohm cm].

    The stimulus of a run is a density [uA/cm2] a compartment: `current_density({0: 0.1})` of a current [nA].

    Raises `ValueError` where an argument is not as above.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> passive = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
    >>> cable = jn.Cable(passive, jn.Section(length=1_000.0, diameter=2.0, n=100), r_a=100.0)
    >>> sol = jn.simulate(cable, 0.0, 100.0, dt=0.1, stimulus=cable.current_density({0: 0.05}))
    >>> f"{float(sol['v'][-1, 0] - sol['v'][-1, -1]):.2f} mV"
    '6.77 mV'

    ```

    Source: Rall (1962), doi:10.1111/j.1749-6632.1962.tb54120.x; Hines (1984), Int J Biomed Comput 15:69, for the
    implicit step.
    """

    membrane: AbstractConductanceNeuron
    sections: tuple[Section, ...]
    r_a: Float[Array, ""]
    tree: Tree

    def __init__(
        self,
        membrane: AbstractConductanceNeuron,
        sections: Section | Sequence[Section],
        *,
        parents: Sequence[int] | None = None,
        r_a: ArrayLike = 35.4,
    ):
        if not isinstance(membrane, AbstractConductanceNeuron):
            raise ValueError(f"`membrane` has to be a neuron with channels; got {type(membrane).__name__}.")
        several = isinstance(sections, Sequence)
        listed = tuple(sections) if several else (sections,)
        if not listed or not all(isinstance(section, Section) for section in listed):
            raise ValueError("`sections` has to be a `Section` or a list of them.")
        self.membrane, self.sections, self.r_a = membrane, listed, as_leaf(r_a, "r_a")
        if self.r_a.ndim:
            raise ValueError(f"`r_a` has to be one number [ohm cm]; got the shape {self.r_a.shape}.")
        check_positive("r_a", self.r_a)
        ahead = range(-1, len(listed) - 1) if parents is None else parents
        self.tree = Tree([section.n for section in listed], checked_parents(ahead, len(listed)))
        n = self.size()
        for path, leaf in jax.tree_util.tree_leaves_with_path(membrane):
            if leaf.shape not in ((), (n,)):
                raise ValueError(
                    f"`membrane{jax.tree_util.keystr(path)}` has shape {leaf.shape}; it has to be () or ({n},), "
                    "one a compartment."
                )

    def size(self) -> int:
        """How many compartments there are."""
        return sum(section.n for section in self.sections)

    def _each(self, values: list[Array]) -> Float[Array, "n"]:
        return jnp.concatenate([jnp.full(s.n, x) for s, x in zip(self.sections, values, strict=True)])

    def areas(self) -> Float[Array, "n"]:
        """Membrane of each compartment [cm2]."""
        return self._each([math.pi * 1e-8 * s.diameter * s.length / s.n for s in self.sections])

    def positions(self) -> Float[Array, "n"]:
        """Distance of the middle of each compartment from the near end of its section [um]."""
        return jnp.concatenate([s.length * as_leaf((np.arange(s.n) + 0.5) / s.n) for s in self.sections])

    def links(self) -> Links:
        """The axial conductances [mS]."""
        half = [1e3 * math.pi * 1e-4 * s.diameter**2 * s.n / (2.0 * self.r_a * s.length) for s in self.sections]
        return self.tree.links(self._each(half))

    def current_density(self, currents: Mapping[int, ArrayLike]) -> Float[Array, "n"]:
        """The density [uA/cm2] of currents [nA] into compartments, {compartment: current}.

        Raises `ValueError` where there is no such compartment.
        """
        total = jnp.zeros(self.size())
        for at, current in currents.items():
            if isinstance(at, bool) or not isinstance(at, int | np.integer) or not -self.size() <= at < self.size():
                raise ValueError(f"`currents` has to name compartments, 0 to {self.size() - 1}; got {told(at)}.")
            total = total.at[at].add(1e-3 * as_leaf(current, "current"))
        return total / self.areas()

    def initial(self) -> MembraneState:
        """Every compartment where its membrane by itself would start: at rest, unless that is unstable."""
        return self.membrane.init(jnp.broadcast_to(self.membrane.starting_potential(), (self.size(),)))

    def standing(self) -> MembraneState:
        """Every compartment at the resting potential of its membrane."""
        return self.membrane.init(jnp.broadcast_to(self.membrane.resting_potential(), (self.size(),)))

    def prepared(self) -> "Cable":
        """Itself."""
        return self

    def observe(self, y: MembraneState) -> dict[str, Float[Array, "n"]]:
        """`v` and every gate."""
        return self.membrane.observe(y)

    def variable_units(self) -> dict[str, str]:
        """As of its membrane."""
        return self.membrane.variable_units()

    def vector_field(self, t: Any, y: MembraneState, args: Any = None) -> MembraneState:
        """dy/dt [mV/ms and 1/ms]; `args` is the injected density [uA/cm2]."""
        axial = self.links().inflow(y.v) / self.areas()
        return self.membrane.vector_field(t, y, Input(current=axial if args is None else axial + args))

    def advance(
        self, y: MembraneState, current: Any, dt: Float[Array, ""], solver: AbstractMembraneSolver
    ) -> MembraneState:
        """y one step of `dt` [ms] later, under an injected density [uA/cm2]; the gates lag half a step."""
        return jax.tree.map(jnp.add, y, self._change(y, current, dt, solver))

    def _change(
        self, y: MembraneState, current: Any, dt: Float[Array, ""], solver: AbstractMembraneSolver
    ) -> MembraneState:
        moves = self.membrane.kinetics(y.v)
        changes = {name: moves[name].change(x, self.membrane.phi * dt) for name, x in y.gates.items()}
        gates = {name: x + changes[name] for name, x in y.gates.items()}
        own = self.membrane.membrane_at(y.v, gates, Input(current=current))
        areas, links = self.areas(), self.links()
        # Changes are solved for, not potentials: a short step in float32 would else be rounding.
        inward = (own.driven - own.conductance * y.v) * areas + links.inflow(y.v)
        density = self.membrane.c_m * areas / dt

        def stage(share: float, ahead: Any) -> Float[Array, "n"]:
            capacity = density / share
            load = jnp.broadcast_to(capacity + own.conductance * areas, y.v.shape)
            return links.solve(load, inward + ahead * capacity)

        return MembraneState(solver.linear_change(stage), changes)

    def resolves(self, dt: Float[Array, ""]) -> Bool[Array, ""]:
        """Whether `dt` [ms] is short enough for the channels of its membrane."""
        return self.membrane.resolves(dt)

    def check_solver(self, solver: Any) -> None:
        """Raises `ValueError` where `solver` is no implicit step."""
        if not isinstance(solver, AbstractMembraneSolver) or not solver.is_implicit():
            raise ValueError(
                f"`solver` of a Cable has to be `SDIRK2()`, `CrankNicolson()` or `ImplicitEuler()`; got {told(solver)}."
            )

    def checked_solver(self, solver: Any) -> AbstractSolver:
        """`SDIRK2()` by default."""
        solver = SDIRK2() if solver is None else solver
        self.check_solver(solver)
        return solver

    def stimulus_share(self) -> float:
        """1/2: a step of second order takes the current of its middle."""
        return 0.5

    def change(self, coefficients: Any, t: Any, y: Any, row: Any, injected: Injected, drawn: Any) -> Any:
        """One implicit step."""
        solver, dt = coefficients
        return self._change(y, row, as_leaf(dt), solver)
