"""The network: a frozen description that is simulated, solved and fitted."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array

from .._numerics import html_table, shown_value, told
from ..models import AbstractNeuron, Binary, is_source
from ._arguments import check_parts
from ._drive import AbstractDrive
from ._kind import AbstractNetwork
from ._population import Population
from ._projection import Projection


class Network(AbstractNetwork):
    """Populations, the projections between them and the drives from outside: descriptions only.

    The same object is simulated (`jn.simulate`), solved in mean field (`jn.theory.mean_field`) and
    fitted (`jn.fit`). Numbers are leaves to map and differentiate over; names, sizes and delays are
    part of the program.

    **Arguments:**

    - `populations`: {name: `Population`}; a name holds no dot.
    - `projections`: `Projection`s between them.
    - `drives`: from outside, such as `PoissonDrive`, `WhiteNoiseDrive` and `OUCurrentDrive`.

    Raises `ValueError` where a population is named that does not exist, a source is a
    target, a read-out is a source, an in-degree exceeds its population, a value a neuron has another length, or a model
    does not understand the kind of input that a synapse or drive gives it.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.Network(
    ...     populations={"E": jn.Population(jn.LIF(), 800)},
    ...     projections=[
    ...         jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedInDegree(80), delay=1.5)
    ...     ],
    ...     drives=[jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=12.0)],
    ... )
    >>> net.names
    ('E',)

    ```
    """

    populations: dict[str, Population]
    projections: tuple[Projection, ...]
    drives: tuple[AbstractDrive, ...]
    names: tuple[str, ...] = eqx.field(static=True, repr=False)
    neuron_names: tuple[str, ...] = eqx.field(static=True, repr=False)
    source_names: tuple[str, ...] = eqx.field(static=True, repr=False)

    def __init__(
        self,
        populations: Mapping[str, Population],
        projections: Iterable[Projection] = (),
        drives: Iterable[AbstractDrive] = (),
    ):
        if not isinstance(populations, Mapping) or not populations:
            raise ValueError("`populations` has to be a dict of at least one {name: Population}.")
        for name, population in populations.items():
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(f"`populations`: a name has to be a string without a dot; got {told(name)}.")
            if not isinstance(population, Population):
                raise ValueError(f"`populations[{name!r}]` has to be a Population; got {told(population)}.")
            if isinstance(population.model, Binary):
                raise ValueError(f"`populations[{name!r}]` has `Binary` units: put them in a `BinaryNetwork`.")
        for argument, given in (("projections", projections), ("drives", drives)):
            if isinstance(given, eqx.Module | str) or not isinstance(given, Iterable):
                raise ValueError(f"`{argument}` has to be a list; got {type(given).__name__}: put it in brackets.")
        self.populations = dict(populations)
        self.names = tuple(populations)
        self.source_names = tuple(n for n, p in populations.items() if is_source(p.model))
        self.neuron_names = tuple(n for n in populations if n not in self.source_names)
        self.projections = tuple(projections)
        self.drives = tuple(drives)
        for index, projection in enumerate(self.projections):
            self._check_projection(f"`projections[{index}]`", projection)
        self.projections = tuple(projection.placed(self.populations) for projection in self.projections)
        for index, drive in enumerate(self.drives):
            self._check_drive(f"`drives[{index}]`", drive)

    def handed(self, *, to_neurons: Callable[[Any], Any], to_binary: Callable[[Any], Any]) -> Any:
        return to_neurons(self)

    def _repr_html_(self) -> str:
        populations = [(name, p.n, p.model) for name, p in self.populations.items()]
        projections = [
            (p.pre, ", ".join(p.post), p.synapse, p.weight, p.connectivity, p.delays) for p in self.projections
        ]
        drives = [(", ".join(drive.targets), drive) for drive in self.drives]
        return "".join(
            html_table(title, header, [[shown_value(cell) for cell in row] for row in rows])
            for title, header, rows in (
                ("Populations", ("name", "neurons", "model"), populations),
                ("Projections", ("from", "onto", "synapse", "weight", "wiring", "delay"), projections),
                ("Drives", ("onto", "drive"), drives),
            )
        )

    def _check_projection(self, name: str, projection: Projection) -> None:
        if not isinstance(projection, Projection):
            raise ValueError(f"{name} has to be a Projection; got {told(projection)}.")
        self._check_known(name, (projection.pre, *projection.post))
        self._check_targets(name, projection.post, {"weight": projection.law.scale})
        self._check_understood(name, projection.synapse.gives(), projection.post)
        self._check_lengths(f"{name[:-1]}.synapse`", projection.synapse, projection.post)
        model = self.populations[projection.pre].model
        if not model.sends_spikes():
            raise ValueError(f"{name} starts from {projection.pre!r}, a `{type(model).__name__}`, which has no spikes.")
        pre = self.populations[projection.pre]
        given, rule = projection.connectivity.given_weights(), projection.connectivity.drawn_rule()
        if given is not None:
            posts = [self.populations[post].n for post in projection.post]
            sizes, here = (given.n_post, given.n_pre), (None if None in posts else sum(n or 0 for n in posts), pre.n)
            if any(n is not None and n != g for g, n in zip(sizes, here, strict=True)):
                raise ValueError(f"{name}: the weights are {sizes}, (post, pre), and the populations {here}.")
        if rule is not None:
            for post in projection.post:
                rule.check(f"{name} onto {post!r}", pre, self.populations[post], post == projection.pre)

    def _check_drive(self, name: str, drive: AbstractDrive) -> None:
        if not isinstance(drive, AbstractDrive):
            raise ValueError(
                f"{name} has to be a drive such as `PoissonDrive` or `WhiteNoiseDrive`; got {told(drive)}."
            )
        self._check_known(name, drive.targets)
        self._check_targets(name, drive.targets, drive.values())
        check_parts(f"{name}: `{type(drive).__name__}.gives`", drive.gives())
        self._check_understood(name, drive.gives(), drive.targets)
        self._check_lengths(name, [part for part in vars(drive).values() if not eqx.is_array(part)], drive.targets)

    def _check_understood(self, name: str, given: tuple[str, ...], targets: tuple[str, ...]) -> None:
        for target in targets:
            check_understood(name, given, target, self.populations[target].model)

    def _check_lengths(self, name: str, parts: Any, targets: tuple[str, ...]) -> None:
        """Numbers of a synapse are one for all, or one for each neuron of every target."""
        for leaf in jax.tree_util.tree_leaves(parts):
            for target in targets:
                n = self.populations[target].n
                if eqx.is_array(leaf) and leaf.ndim == 1 and n is not None and leaf.shape != (n,):
                    raise ValueError(
                        f"{name}: a parameter has {leaf.shape[0]} values for the {n} neurons of {target!r}; give one "
                        "number, or one a neuron."
                    )

    def _check_known(self, name: str, used: tuple[str, ...]) -> None:
        for population in used:
            if population not in self.populations:
                raise ValueError(f"{name} names the population {population!r}; there are {', '.join(self.names)}.")

    def _check_targets(self, name: str, targets: tuple[str, ...], values: dict[str, Array]) -> None:
        for target in targets:
            if target in self.source_names:
                kind = type(self.populations[target].model).__name__
                raise ValueError(f"{name} has the target {target!r}, a {kind} population, which takes no input.")
        sizes = [self.populations[target].n for target in targets]
        total = None if None in sizes else sum(n for n in sizes if n is not None)
        for argument, value in values.items():
            if value.ndim > 1:
                raise ValueError(
                    f"{name}: `{argument}` has the shape {value.shape}; it has to be one number, or one a neuron."
                )
            if value.ndim == 1 and total is not None and value.shape != (total,):
                raise ValueError(
                    f"{name}: `{argument}` has {value.shape[0]} values for the {total} neurons of {', '.join(targets)}."
                )


def check_understood(name: str, given: tuple[str, ...], target: str, model: AbstractNeuron) -> None:
    """Raises `ValueError` where `name` gives a population a part of `Input` that its model does not understand."""
    understood = model.understands()
    check_parts(f"`{type(model).__name__}.understands` of the population {target!r}", understood)
    for part in given:
        if part not in understood:
            raise ValueError(
                f"{name} gives {target!r} the `Input` part `{part}`, which {type(model).__name__} does not understand: "
                f"it understands {', '.join(understood) or 'none'}. Take another synapse or drive; in a model of your "
                "own use the part in `step` and name it in `understands`."
            )
