"""`jaxneuro sweep brunel --over g=3:8:51 --over nu_ext_over_nu_thr=0.5:4:36`: a named network over a grid."""

import argparse
import contextlib
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._clock import check_clock, key_of
from ._networks import SWEPT, add_networks, given_numbers, network_function, numbers, sizes
from ._outputs import check_outputs, write_json
from ._phase_diagram import draw_states

if TYPE_CHECKING:
    import xarray
    from jaxtyping import Array

    from .._network import Network
    from .._simulate import Solution

# What a variable of this name measures; the name goes on with that of a population.
UNITS = {"rate": "Hz", "cv": "1", "frequency": "Hz"}

_TRANSIENT = 200.0
# Seconds within which a scheduler has to answer.
_DASK_TIMEOUT = 10.0
_AXIS = "an axis, also NAME=LOW:HIGH:N:log or NAME=3,4,5; may be repeated"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and what every sweep takes."""
    for network in add_networks(parser, SWEPT):
        add = network.parser.add_argument
        add("--over", action="append", required=True, metavar="NAME=LOW:HIGH:N", help=_AXIS)
        add("--seeds", type=int, metavar="N", help="runs at every point, on one wiring; default one")
        add("--duration", type=float, default=1_000.0, help="ms of each run, default 1000")
        add("--start", type=float, help="count from this time on, in ms; default 0, with --states 200")
        add("--dt", type=float, default=0.1, help="step in ms, default 0.1")
        add("--seed", type=int, default=0, help="of the wiring and the noise, default 0")
        add(
            "--states",
            action="store_true",
            help="name the state of each run; a figure of two axes shows theory's lines; with another --c-e and no --j "
            "J is rescaled",
        )
        add("--store", type=Path, metavar="FILE.zarr", help="write the labelled arrays here")
        add("--overwrite", action="store_true", help="replace a store that exists")
        add("--resume", action="store_true", help="go on with a store that exists")
        add("--repair", action="store_true", help="with --resume: compute damaged chunks again")
        add("--json", type=Path, metavar="FILE", help="write axes and values here; - for standard output")
        add("--figure", type=Path, metavar="FILE", help="draw one or two axes here")
        add("--dask", metavar="ADDRESS", help="run on the workers of this Dask scheduler, such as tcp://host:8786")
        add("--quiet", action="store_true", help="print nothing, and show no progress")
        add(
            "--progress",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="show a progress line on standard error (default: on a terminal)",
        )


def measure(sol: "Solution") -> dict[str, "Array"]:
    """What is kept of each run, numbers by name; traced by JAX."""
    import jax.numpy as jnp

    rates = {f"rate_{name}": jnp.mean(values) for name, values in sol["rate"].items()}
    cvs = {f"cv_{name}": jnp.nanmean(values) for name, values in sol["cv"].items()}
    if "spectrum" not in sol.records:
        return rates | cvs
    from ..analysis import State, classify_state

    found = classify_state(sol)
    # Elsewhere the highest point of the spectrum is one of noise, whose place says nothing.
    oscillating = {
        name: (code == State.SR) | (code == State.fast_SI) | (code == State.slow_SI)
        for name, code in found.code.items()
    }
    frequencies = {
        f"frequency_{name}": jnp.where(oscillating[name], values, jnp.nan) for name, values in found.frequency.items()
    }
    return rates | cvs | frequencies | {f"state_{name}": codes for name, codes in found.code.items()}


def run(options: argparse.Namespace) -> int:
    """Checks everything, runs the network over the grid, prints a summary, writes what was asked for."""
    check_clock(options)
    axes = _read_axes(options)
    if options.start is None:
        # The first spikes of a network are those of its start and not of its state.
        options.start = _TRANSIENT if options.states else 0.0
    check_outputs(json=options.json, figure=options.figure)
    if options.figure and len(axes) > 2:
        raise ValueError(f"`--figure` draws one or two axes; there are {len(axes)} `--over`.")
    _check_store(options)
    from .._simulate import record, simulate, wire
    from .._sweep import SweepWarning, sweep
    from ..analysis import state_recorders
    from ..theory import brunel_stability

    _keep_the_input(options, axes)
    make, given = network_function(options.network), given_numbers(options)
    net = _shared_network(options, axes, given)
    fixed = given | sizes(make, net)
    if options.figure and options.states and len(axes) == 2:
        brunel_stability(net, throw=False)  # whose lines the figure will want: a network it does not cover ends here
    key = key_of(options)
    wiring = wire(net, key=key)
    recorders = {"rate": record.Rate(start=options.start), "cv": record.CV(start=options.start)}
    if options.states:
        recorders = state_recorders(start=options.start)

    duration, dt = options.duration, options.dt  # `one` may go to another process, and takes no more with it

    def one(point: Mapping, key: Any) -> dict:
        sol = simulate(
            make(**fixed, **point), 0.0, duration, dt=dt, key=key, record=recorders, wiring=wiring, throw=False
        )
        return {**measure(sol), "result": sol.result}

    progress = False if options.quiet else options.progress
    with _execution(options.dask) as execution, warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", UserWarning)
        grid = sweep(
            one, over=axes, seeds=options.seeds, key=key, progress=progress, execution=execution, store=options.store,
            overwrite=options.overwrite, resume=options.resume, repair=options.repair,
            attributes=_attributes(options, list(net.populations)),
        )  # fmt: skip
    print(_summary(grid, options))
    _write(grid, options, partial(_figure, grid, options, axes, make, fixed))
    for warning in heard:  # such as of a full disk: the other files are written all the same
        print(f"jaxneuro: {warning.message}", file=sys.stderr)
    return 1 if any(issubclass(warning.category, SweepWarning) for warning in heard) else 0


@contextlib.contextmanager
def _execution(address: str | None) -> Iterator[Any]:
    """Threads of this process, or the workers of the scheduler at an address."""
    if address is None:
        yield None
        return
    try:
        from distributed import Client

        from .._sweep import Dask
    except ImportError as error:
        from .._numerics import install

        raise ValueError(f"`--dask` needs distributed: {install('cluster')} (there is no {error.name}).") from None
    try:
        client = Client(address, timeout=_DASK_TIMEOUT)
    except (OSError, TimeoutError, ValueError):
        raise ValueError(f"`--dask` {address}: no scheduler of Dask answers there.") from None
    with client:
        yield Dask(client)


def _keep_the_input(options: argparse.Namespace, axes: Mapping) -> None:
    """With `--states`, another in-degree and no efficacy, takes the J that keeps C_E J, and says so.

    A small network with the efficacy of the large one has so weak a recurrent input that nothing oscillates, in runs or
    in theory: there would be no line to draw.
    """
    given = given_numbers(options)
    if not (options.states and options.network == "brunel" and given.get("c_e", 0) > 0) or "j" in {*given, *axes}:
        return
    default = numbers(network_function(options.network))
    total = default["j"] * default["c_e"]
    options.j = total / given["c_e"]
    if options.j != default["j"]:
        print(
            f"J = {options.j:g} mV keeps C_E J = {total:g} mV of the network of {default['c_e']:,} inputs; or give --j"
        )


def _check_store(options: argparse.Namespace) -> None:
    """Raises `ValueError` where xarray or zarr is missing or the store cannot be written."""
    from .._sweep import check_libraries, check_store

    try:
        check_libraries(store=options.store is not None)
    except ImportError as error:
        raise ValueError(str(error)) from None
    if options.store is not None:
        check_store(options.store, overwrite=options.overwrite, resume=options.resume)
        if options.store.resolve() in [path.resolve() for path in (options.json, options.figure) if path]:
            raise ValueError(f"`--store` {options.store} is also the name of another file to write; give two names.")
    elif options.overwrite:
        raise ValueError("`--overwrite` is about a `--store`, and none is given.")


def _read_axes(options: argparse.Namespace) -> dict[str, Any]:
    """The axes by name; raises `ValueError` for one that is no axis, comes twice or is also fixed."""
    known, axes = numbers(network_function(options.network)), {}
    for text in options.over:
        name, _, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known:
            raise ValueError(f"`--over` {text}: {options.network} has no {name!r}; it has {', '.join(known)}.")
        if name in axes:
            raise ValueError(f"`--over` names {name} twice.")
        if name in given_numbers(options):
            raise ValueError(f"`--over` {text}: {name} is also fixed by an option of its own; drop one of the two.")
        axes[name] = read_axis(text, values)
    return axes


def read_axis(text: str, values: str) -> Any:
    """LOW:HIGH:N, LOW:HIGH:N:log or a list with commas."""
    import numpy as np

    try:
        if ":" not in values:
            return np.asarray([float(value) for value in values.split(",")])
        low, high, n, *spacing = values.split(":")
        low, high, n = float(low), float(high), int(n)
    except ValueError:
        sentence = f"`--over` {text}: it has to read NAME=LOW:HIGH:N, such as g=3:8:51, or a list, such as g=3,4,5."
        raise ValueError(sentence) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high and n >= 2):
        raise ValueError(f"`--over` {text}: LOW has to be below HIGH, both finite, and N at least 2.")
    if spacing not in ([], ["log"]):
        raise ValueError(f"`--over` {text}: after N there may stand :log and nothing else.")
    if spacing and low <= 0:
        raise ValueError(f"`--over` {text}: with :log both ends have to be positive.")
    return np.geomspace(low, high, n) if spacing else np.linspace(low, high, n)


def _shared_network(options: argparse.Namespace, axes: dict[str, Any], given: dict[str, Any]) -> "Network":
    """The network at the low end of every axis; raises `ValueError` where one wiring does not serve all points."""
    make, kinds = network_function(options.network), numbers(network_function(options.network))
    low, high = ({name: kinds[name].__class__(values[end]) for name, values in axes.items()} for end in (0, -1))
    net = make(**given, **low)
    others = {name: make(**given, **{**low, name: high[name]}) for name in axes}
    make(**given, **high)  # the other end has to be a network too
    for name, other in others.items():
        if _wired(other) != _wired(net):
            raise ValueError(
                f"`--over` {name}: it changes sizes, in-degrees or delays, so that every point would need a wiring of "
                f"its own; a sweep shares one. Run one sweep for each value, with --{name.replace('_', '-')}."
            )
    return net


def _wired(net: "Network") -> tuple:
    """What a wiring and the program depend on."""
    import jax
    import numpy as np

    degrees = [np.asarray(leaf).tolist() for p in net.projections for leaf in jax.tree.leaves(p.connectivity)]
    return jax.tree.structure(net), [leaf.shape for leaf in jax.tree.leaves(net)], degrees


def _attributes(options: argparse.Namespace, populations: list[str]) -> dict[str, Any]:
    """What the numbers are and how they were made."""
    from ..analysis import State

    measured = [*UNITS] if options.states else ["rate", "cv"]
    noted: dict[str, Any] = {f"{what}_{name}": {"units": UNITS[what]} for what in measured for name in populations}
    if options.states:
        flags = {"flag_values": [int(state) for state in State], "flag_meanings": " ".join(s.name for s in State)}
        noted |= {f"state_{name}": flags for name in populations}
    return noted | {
        "network": options.network, "duration_ms": options.duration, "start_ms": options.start, "dt_ms": options.dt,
        "seed": options.seed, **given_numbers(options),
    }  # fmt: skip


def _summary(grid: "xarray.Dataset", options: argparse.Namespace) -> str:
    """The lowest and the highest value of every variable, and where they are."""
    import numpy as np

    from ..analysis import State

    sizes = " x ".join(f"{size} {name}" for name, size in grid.sizes.items())
    lines = [f"{options.network}: {sizes}, {options.duration:g} ms each, one wiring"]
    for name, variable in grid.data_vars.items():
        if name == "result" or str(name).startswith("state_"):
            continue
        unit = variable.attrs.get("units", "1")
        label = str(name) if unit == "1" else f"{name} ({unit})"
        mean = variable.mean("seed") if "seed" in variable.dims else variable
        if bool(mean.isnull().all()):
            lines.append(f"  {label:14s} nowhere known")
            continue
        places = (mean.argmin(...), mean.argmax(...))
        low, high = (f"{float(mean[place]):.4g} at {_where(mean[place])}" for place in places)
        lines.append(f"  {label:14s} from {low} to {high}")
    for name in [str(name) for name in grid.data_vars if str(name).startswith("state_")]:
        values, counts = np.unique(grid[name], return_counts=True)
        shares = ", ".join(f"{State(int(v))} {c}" for v, c in zip(values, counts, strict=True))
        lines.append(f"  {name:14s} {shares} of {grid[name].size} runs")
    failed = int((grid["result"] != 0).sum())
    if failed:
        lines.append(f"  {failed} of {grid['result'].size} runs went non-finite; `result` says which.")
    return "\n".join(lines)


def _where(value: "xarray.DataArray") -> str:
    return ", ".join(f"{name} = {float(at):g}" for name, at in value.coords.items())


def _write(grid: "xarray.Dataset", options: argparse.Namespace, figure: Callable[[], Any]) -> None:
    """Each part is complete before it takes its name; the numbers first, which no failing figure may lose."""
    from .._numerics import replacing

    write_json(options, json.dumps(_as_json(grid), indent=1))
    if options.store:
        print(f"wrote {options.store}")
    if options.figure:
        with replacing(options.figure) as temporary:
            _draw(temporary, figure)
        print(f"wrote {options.figure}")


def _as_json(grid: "xarray.Dataset") -> dict[str, Any]:
    """Axes and values as nested lists; JSON has no NaN, so that a missing value is null."""
    import numpy as np

    def plain(values: Any) -> Any:
        return [plain(v) for v in values] if isinstance(values, list) else values if values == values else None

    return {
        "attributes": grid.attrs,
        "dims": list(grid["result"].dims),
        "coordinates": {str(name): np.asarray(values).tolist() for name, values in grid.coords.items()},
        "values": {str(name): plain(np.asarray(values).tolist()) for name, values in grid.data_vars.items()},
    }


def _figure(grid: "xarray.Dataset", options: argparse.Namespace, axes: dict, make: Callable, fixed: dict) -> Any:
    from .. import plot

    if options.states and len(axes) == 2:
        return draw_states(grid, axes, make, fixed, options.progress)
    measured = [str(name) for name in grid.data_vars if name != "result" and not str(name).startswith("state_")]
    return plot.sweep(grid, names=measured)


def _draw(path: Path, make_figure: Callable[[], Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = make_figure()
    figure.savefig(path, dpi=150)
    plt.close(figure)
