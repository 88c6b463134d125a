"""What a run would be, before it is run."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .._network import BinaryNetwork, Network, Population
from .._numerics import check_count, check_dt, check_precision, check_yes_or_no, platform, run_steps, shown_value, told
from ..connectivity import Sketch, StepRange
from ..models import AbstractODE, AbstractRunnable, AbstractRunner
from ..surrogate import Triangular
from ._binary import BinaryMachine, Sequential
from ._driver import SINGLE
from ._explanation import DrivePart, Explanation, Memory, PopulationPart, ProjectionPart, Steps
from ._machine import AbstractMachine
from ._measure import Measurer
from ._ode import ode_machine
from ._plan import FREE_BLOCK, ProjectionPlan
from ._spiking import spiking_machine
from ._wire import sizes_of, sketch_wiring
from .adjoint import Checkpoint


def explain(model: AbstractRunnable, *, t1: float, dt: float, batch: int = 1, measure: bool = False) -> Explanation:
    """Says what a run would be, without running it and without drawing a wiring.

    Sizes, memory, blocks and deliveries are those of the engine itself, asked for shapes in place of numbers. How many
    synapses there will be is an expectation where the rule draws their number. The memory of a gradient is what
    `jn.adjoint.Checkpoint()` is laid out for, with a surrogate on all populations that spike: the states at the ends of
    its segments, and what one segment keeps. What the compiler needs beside it is not counted.

    **Arguments:**

    - `model`: what `jn.simulate` runs: a `Network`, a `BinaryNetwork`, a `Population` or a rate model.
    - `t1`: end of the run [ms], which begins at 0; `dt`: step [ms].
    - `batch`: how many runs go at once, under `jax.vmap`; they share one wiring.
    - `measure`: whether also to draw the wiring, compile, and run one run briefly: what compiling takes, and recorders,
      delivery, draws of drives and update a step, each by leaving it out.

    **Returns:** a frozen `results.Explanation`, printed as tables: `populations`, `projections` (with the expected
    synapses, the delivery that is chosen and why), `drives`, `memory` [MB], `steps`, and `measured` [us a step].

    Raises `ValueError` where `model` is nothing to be run, a size is missing, `t1` is no multiple of `dt`, or `batch`
    is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=400, n_i=100, c_e=40, c_i=10)
    >>> about = jn.explain(net, t1=300.0, dt=0.1)
    >>> about.steps.blocks, about.steps.block, about.steps.why
    (200, 15, 'the shortest delay is 1.5 ms, of `projections[0]`')
    >>> [round(p.synapses) for p in about.projections]
    [20000, 5000]

    ```
    """
    if not isinstance(model, AbstractRunnable):
        raise ValueError(
            f"`model` has to be a Network, a Population, a BinaryNetwork or a rate model; got {told(model)}."
        )
    check_precision("model", model)
    explainer = _Explainer(t1, check_dt(dt), check_count("batch", batch, "a positive number of runs"))
    measure = check_yes_or_no("measure", measure)
    about = model.run_by(explainer)
    return replace(about, measured=model.run_by(Measurer(explainer.n_steps, explainer.dt))) if measure else about


class _Explainer(AbstractRunner):
    """The call, to be answered for the model's kind."""

    def __init__(self, t1: float, dt: float, batch: int):
        self.n_steps, self.dt, self.batch = run_steps(0.0, t1, dt)[1], dt, batch

    def network(self, net: Network) -> Explanation:
        wiring, sketches = sketch_wiring(net)
        machine_of = partial(
            spiking_machine, net, 0, self.n_steps, dt=self.dt, single=False, key=jax.random.key(0), wiring=wiring
        )
        machine = machine_of()
        shapes = self._shapes(machine)
        program = shapes[0]
        own = zip(net.projections, sketches, program.plan.projections, strict=True)
        projections = tuple([_projection(p, sketch, plan) for p, sketch, plan in own])
        backward = self._shapes(machine_of(surrogate=Triangular()))
        return self._explanation(
            _populations(net), projections, tuple([DrivePart(d.targets, shown_value(d)) for d in net.drives]),
            self._memory(shapes, projections, backward, True),
            self._steps(program, self._why(program.plan, machine.delays)),
        )  # fmt: skip

    def population(self, population: Population) -> Explanation:
        return self.network(Network({SINGLE: population}))

    def binary(self, net: BinaryNetwork) -> Explanation:
        wiring, sketches = sketch_wiring(net)
        machine = BinaryMachine(net, wiring, None, jax.random.key(0), {}, Sequential(), self.dt)
        shapes = self._shapes(machine)
        projections = tuple([_connections(p, sketch) for p, sketch in zip(net.projections, sketches, strict=True)])
        drives = tuple([DrivePart((name,), shown_value(value)) for name, value in net.drives.items()])
        why = "a unit is updated with what all others are then"
        return self._explanation(
            _populations(net), projections, drives, self._memory(shapes, projections, None, False),
            self._steps(shapes[0], why),
        )  # fmt: skip

    def equation(self, model: AbstractODE) -> Explanation:
        machine = ode_machine(model, model.checked_solver(None), {}, jax.random.key(0), self.dt)
        shapes = self._shapes(machine)
        own = PopulationPart(SINGLE, model.size(), *_name_and_parameters(model))
        why = "for so many steps noise is drawn, and records are written, at once"
        return self._explanation((own,), (), (), self._memory(shapes, (), shapes, False), self._steps(shapes[0], why))

    def _shapes(self, machine: AbstractMachine) -> tuple[Any, Any, Any]:
        """The program of a run, its state and the default records, as shapes and types."""

        def made(own: AbstractMachine) -> tuple[Any, Any, Any]:
            first = jnp.zeros((), jnp.int32)
            layout, program = own.layout(self.n_steps, first), own.program(self.n_steps, first, False)
            records = {}
            for name, recorder in own.default_record(layout).items():
                records[name] = recorder.init(layout, recorder.rows(0, self.n_steps, self.dt))
            return program, program.start(own.init(0)), records

        return eqx.filter_eval_shape(made, machine)

    def _memory(
        self,
        shapes: tuple[Any, Any, Any],
        projections: tuple[ProjectionPart, ...],
        backward: tuple[Any, Any, Any] | None,
        inside: bool,
    ) -> Memory:
        """`inside`: whether the program holds the wiring itself, and no copy of it."""
        program, state, records = shapes
        wiring, batch = sum(own.nbytes for own in projections) / 1e6, self.batch
        constants = _nbytes(program) / 1e6 - (wiring if inside else 0.0)
        gradient = None if backward is None else batch * self._kept(*backward[:2]) / 1e6
        return Memory(wiring, constants, batch * _nbytes(state) / 1e6, batch * _nbytes(records) / 1e6, gradient)

    def _kept(self, program: Any, state: Any) -> int:
        """Bytes of the states at the ends of segments, and of what the calls of one segment keep."""
        turns = max(1, self.n_steps // program.group_steps)
        length = Checkpoint().segment_length(turns, program.kept)
        return _nbytes(state) * (math.ceil(turns / length) + length * program.kept)

    def _why(self, plan: Any, delays: tuple[StepRange, ...]) -> str:
        """What decides how long a block is."""
        most = FREE_BLOCK if plan.shortest is None else delays[plan.shortest].least
        if plan.shortest is None:
            why = f"no neuron hears of another, and then a block has up to {most} steps"
        else:
            why = f"the shortest delay is {most * self.dt:g} ms, of `projections[{plan.shortest}]`"
        return why if plan.block == most else f"{why}, and {plan.block} is the longest share of all steps below it"

    def _steps(self, program: Any, why: str) -> Steps:
        block = min(program.block_steps, self.n_steps)
        return Steps(self.n_steps, block, math.ceil(self.n_steps / block), program.group_steps, why)

    def _explanation(
        self, populations: Any, projections: Any, drives: Any, memory: Memory, steps: Steps
    ) -> Explanation:
        return Explanation(
            populations, projections, drives, memory, steps, self.n_steps * self.dt, self.dt, self.batch,
            platform(), str(jnp.result_type(float)),
        )  # fmt: skip


def _populations(net: Network | BinaryNetwork) -> tuple[PopulationPart, ...]:
    found = []
    for name, n in sizes_of(net, net.names).items():
        model = net.populations[name].model
        found.append(PopulationPart(name, n, *_name_and_parameters(model)))
    return tuple(found)


def _name_and_parameters(model: Any) -> tuple[str, str]:
    """How a model is printed: its name, and what stands between its brackets."""
    name, _, rest = shown_value(model).partition("(")
    return name, rest.removesuffix(")")


def _projection(projection: Any, sketch: Sketch | None, plan: ProjectionPlan) -> ProjectionPart:
    if sketch is None:
        number, way, why, nbytes = None, plan.arrivals.way(), "the weights are given", _nbytes(plan.arrivals)
    else:
        number, way, why, nbytes = sketch.synapses, sketch.delivery, sketch.why, _nbytes(sketch.operator)
    delay = shown_value(projection.delay, "ms")
    return ProjectionPart(
        projection.pre, projection.post, shown_value(projection.synapse), shown_value(projection.connectivity),
        number, shown_value(projection.weight), delay, way, why, nbytes,
    )  # fmt: skip


def _connections(projection: Any, sketch: Sketch | None) -> ProjectionPart:
    assert sketch is not None  # a network of units has no given weights but those of pairs
    return ProjectionPart(
        projection.pre, projection.post, "", shown_value(projection.connectivity), sketch.synapses,
        shown_value(projection.weight), "", sketch.delivery, sketch.why, _nbytes(sketch.operator),
    )  # fmt: skip


def _nbytes(tree: Any) -> int:
    """Bytes of all arrays, or shapes of arrays, in a tree."""
    leaves = [x for x in jax.tree.leaves(tree) if isinstance(x, jax.Array | jax.ShapeDtypeStruct)]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
