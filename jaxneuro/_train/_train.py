"""The training loop."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PRNGKeyArray

from .._numerics import ProgressLine, Shown, check_count, check_key, check_target, in_a_line, is_one_float
from ._checkpoint import check_program, load, save
from ._diagnosis import Finding, TrainingWarning, diagnose


class Trained(Shown):
    """What training returns; it prints as a summary.

    `params` are the last, `best` those of the lowest validation loss (the last where there is none). `loss` (steps,)
    and `gradient_norm` (steps,) are the history, `validation` {step: loss}; `findings` what went wrong on the way, with
    what to try; `stopped_early` whether patience ran out.
    """

    params: Any
    best: Any
    loss: np.ndarray
    gradient_norm: np.ndarray
    validation: dict[int, float]
    findings: tuple[Finding, ...]
    stopped_early: bool

    def __str__(self) -> str:
        ended = "stopped early" if self.stopped_early else "done"
        lines = [
            f"{self.loss.size} steps, {ended}: loss {self.loss[0]:.4g} at the start, {self.loss[-1]:.4g} at the end"
        ]
        if self.validation:
            step = min(self.validation, key=lambda s: self.validation[s])
            lines.append(f"  best validation loss {self.validation[step]:.4g}, after step {step}")
        return "\n".join(lines + [f"  {finding}" for finding in self.findings])


class _Progress(eqx.Module):
    """Everything that a run goes on from."""

    trained: Any
    optimiser: Any
    best: Any
    step: Array
    best_loss: Array
    best_step: Array


def train(
    params: Any,
    loss: Callable[..., Any],
    batches: Callable[[int], Any] | Iterable[Any],
    *,
    steps: int,
    optimiser: optax.GradientTransformation,
    key: PRNGKeyArray,
    where: Callable[[Any], Any] | None = None,
    validate: Callable[[Any], Any] | None = None,
    every: int = 100,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    sharding: jax.sharding.Sharding | None = None,
    progress: bool | None = None,
) -> Trained:
    """Follows the gradient of a loss, batch after batch.

    The loop is `params <- optimiser(gradient of loss(params, batches(step), key of the step))`, and is short enough to
    write oneself; this one reports, stops, and survives being killed.

    **Arguments:**

    - `params`: any pytree, such as a dict of weights or a `Network`; its float arrays are trained, or those that
      `where(params)` names.
    - `loss(params, batch, key)`: a number, or a number and {population: rates [Hz]}, from which silent and runaway
      neurons are told. Within, a batch is a `jax.vmap` of `simulate(..., throw=False)`.
    - `batches`: a function of the step alone, `batches(step)`, so that a run can go on where it was; or an iterable of
      at least `steps` batches, of which a run that goes on passes over the first ones.
    - `steps`: how many.
    - `optimiser`: of optax; a learning-rate schedule is an argument of it.
    - `key`: a `jax.random.key`; step k gets `jax.random.fold_in(key, k)`.
    - `validate(params)`: a loss on held-out data, asked every `every` steps.
    - `every`: steps between validations and checkpoints.
    - `patience`: stop where the validation loss was not lower for so many steps.
    - `checkpoint`: a file that is replaced every `every` steps; where it exists, training goes on from it and the
      result is that of a run that was never interrupted, bitwise.
    - `sharding`: where to put a batch, such as a `jax.sharding.NamedSharding` over devices.
    - `progress`: a line on standard error; by default on a terminal.

    **Returns:** a `Trained`.

    Raises `ValueError` where an argument does not fit, `batches` end early or a checkpoint is of another training
    (other parameters, loss, optimiser or key) or beyond `steps`; `FileNotFoundError` where its folder is missing;
    `RuntimeError` where a loss, gradient or rate is not finite or a validation loss NaN; earlier parameters are in the
    checkpoint. Warns with `TrainingWarning` of dead or runaway units, vanished or exploding gradients and a loss that
    stopped moving.

    ```python
    >>> import jax, jax.numpy as jnp, optax, jaxneuro as jn
    >>> def loss(w, batch, key):
    ...     return jnp.mean((batch @ w - 1.0) ** 2)
    >>> batches = lambda step: jax.random.normal(jax.random.fold_in(jax.random.key(1), step), (8, 2)) + 2.0
    >>> trained = jn.train(jnp.zeros(2), loss, batches, steps=200, optimiser=optax.sgd(0.02), key=jax.random.key(0))
    >>> bool(trained.loss[-1] < 0.5 * trained.loss[0])
    True

    ```
    """
    check_key(key)
    _check(loss, steps, every, patience, validate, optimiser)
    select, rebuild = _selection(params, where)
    trained = _strong(select(params))
    names = [jax.tree_util.keystr(path) or "params" for path, _ in jax.tree_util.tree_leaves_with_path(trained)]
    if not names:
        raise ValueError("`params` has no float array to train.")
    if not all(_is_float(leaf) for leaf in jax.tree_util.tree_leaves(trained)):
        raise ValueError(f"`where` has to name float arrays of `params`; got {in_a_line(trained)}.")
    inf, start = jnp.asarray(jnp.inf), jnp.asarray(0, jnp.int32)
    state = _Progress(trained, _strong(optimiser.init(trained)), trained, start, inf, start)
    history: dict[str, np.ndarray] = {}
    path = None if checkpoint is None else check_target(checkpoint, "checkpoint")
    stored = ""
    if path is not None and path.exists():
        state, history, stored = load(path, state, key)
        _check_goes_on(path, int(state.step), steps)
    records = {name: list(values) for name, values in history.items()}
    advance, program = _compiled_step(loss, optimiser, rebuild), ""
    next_batch = _source(batches, min(int(state.step), steps - 1), steps)
    line, stopped = ProgressLine("training", "steps", steps, progress), False

    def ready(step: int) -> Any:
        batch = next_batch(step)
        return batch if sharding is None else jax.device_put(batch, sharding)

    def described(target: Path, batch: Any, step: int) -> str:
        traced = advance.trace(state.trained, state.optimiser, batch, jax.random.fold_in(key, step))
        return check_program(target, stored, traced)

    if path is not None and stored and int(state.step) == steps:  # no step is left that would tell another training
        described(path, ready(steps - 1), steps - 1)
    try:
        while int(state.step) < steps and not stopped:
            step = int(state.step)
            batch = ready(step)
            if path is not None and not program:
                program = described(path, batch, step)
            new, seen = advance(state.trained, state.optimiser, batch, jax.random.fold_in(key, step))
            _record(records, seen, step)
            state = eqx.tree_at(lambda s: (s.trained, s.optimiser, s.step), state, (*new, state.step + 1))
            if (step + 1) % every == 0 or step + 1 == steps:
                state, stopped = _validated(state, validate, rebuild, patience, records)
                if path is not None:
                    save(path, state, {name: np.asarray(values) for name, values in records.items()}, key, program)
            line(step + 1)
    finally:
        line.close()
    stopped = stopped or _out_of_patience(state, patience)
    return _result(state, records, names, rebuild, validate is not None, stopped and int(state.step) < steps)


def _strong(tree: Any) -> Any:
    """Floats as a checkpoint gives them back, never weakly typed: both are then steps of one program."""
    return jax.tree_util.tree_map(lambda leaf: _typed(leaf) if _is_float(leaf) else leaf, tree)


def _typed(leaf: Any) -> Array:
    return jnp.asarray(leaf, jax.dtypes.canonicalize_dtype(leaf.dtype))


def _is_float(leaf: Any) -> bool:
    return eqx.is_inexact_array(leaf) or (isinstance(leaf, np.ndarray) and np.issubdtype(leaf.dtype, np.inexact))


def _check_goes_on(path: Path, step: int, steps: int) -> None:
    if step > steps:
        raise ValueError(
            f"`steps` is {steps}, and `checkpoint` {path} is already at step {step}: give more steps, or another file."
        )


def _source(batches: Any, start: int, steps: int) -> Callable[[int], Any]:
    """A function of the step, from a function or from an iterable, of which the first `start` are passed over."""
    if callable(batches):
        return batches
    if isinstance(batches, str | bytes | Mapping) or not isinstance(batches, Iterable):
        raise ValueError(f"`batches` has to be a function of the step or an iterable; got {type(batches).__name__}.")
    left = iter(batches)

    def following(step: int) -> Any:
        for batch in left:
            return batch
        raise ValueError(
            f"`batches` ended before step {step} of {steps}: give as many, or `itertools.cycle` of a list."
        )

    for step in range(start):
        following(step)
    return following


def _check(loss: Any, steps: int, every: int, patience: int | None, validate: Any, optimiser: Any) -> None:
    if not callable(loss):
        raise ValueError(f"`loss` has to be a function of (params, batch, key); got {in_a_line(loss)}.")
    for name, value in (("steps", steps), ("every", every), ("patience", 1 if patience is None else patience)):
        check_count(name, value, "a positive number of steps")
    if not (validate is None or callable(validate)):
        raise ValueError(f"`validate` has to be a function of the parameters; got {in_a_line(validate)}.")
    if patience is not None and validate is None:
        raise ValueError("`patience` needs `validate`, the loss that has to fall.")
    if not isinstance(optimiser, optax.GradientTransformation):
        raise ValueError(f"`optimiser` has to be of optax, such as `optax.adam(1e-3)`; got {in_a_line(optimiser)}.")


def _selection(params: Any, where: Callable[[Any], Any] | None) -> tuple[Callable, Callable]:
    """What is trained of the parameters, and the parameters with it put back."""
    if where is None:
        fixed = eqx.filter(params, _is_float, inverse=True)
        return lambda p: eqx.filter(p, _is_float), lambda trained: eqx.combine(trained, fixed)
    return where, lambda trained: eqx.tree_at(where, params, trained)


def _compiled_step(loss: Callable, optimiser: optax.GradientTransformation, rebuild: Callable) -> Callable:
    @jax.jit
    def advance(trained: Any, state: Any, batch: Any, key: PRNGKeyArray) -> tuple[tuple[Any, Any], dict[str, Any]]:
        def value(parameters: Any) -> tuple[Array, Mapping[str, Array]]:
            return _value_and_rates(loss(rebuild(parameters), batch, key))

        (lost, rates), gradient = jax.value_and_grad(value, has_aux=True)(trained)
        norms = jnp.stack([jnp.linalg.norm(leaf.ravel()) for leaf in jax.tree_util.tree_leaves(gradient)])
        updates, state = optimiser.update(gradient, state, trained)
        seen: dict[str, Any] = {"loss": lost, "norms": norms}
        for name, given in rates.items():
            by_neuron = jnp.mean(given.reshape(-1, given.shape[-1]), axis=0)
            seen[f"silent {name}"] = jnp.mean((by_neuron == 0).astype(by_neuron.dtype))
            seen[f"fastest {name}"] = jnp.max(by_neuron)
        return (optax.apply_updates(trained, updates), state), seen

    return advance


def _value_and_rates(given: Any) -> tuple[Array, Mapping[str, Array]]:
    """What a loss returned: a number, or a number and the rates of populations by name."""
    value, rates = given if isinstance(given, tuple) and len(given) == 2 else (given, {})
    named = isinstance(rates, Mapping) and all(np.ndim(of) > 0 for of in rates.values())
    if not (named and is_one_float(value)):
        leaves = jax.tree_util.tree_leaves(given)
        arrays = [np.shape(leaf) for leaf in leaves if isinstance(leaf, jax.Array)]
        raise ValueError(
            "`loss` has to return one float, or one float and the rates of populations, {name: (..., n)}; got "
            f"{f'arrays of the shapes {arrays}' if arrays else in_a_line(given)}."
        )
    return jnp.asarray(value), rates


def _record(records: dict[str, list], seen: dict[str, Any], step: int) -> None:
    known = {name: np.asarray(value) for name, value in seen.items()}
    if not (np.isfinite(known["loss"]) and np.all(np.isfinite(known["norms"]))):
        raise RuntimeError(
            f"At step {step} the loss is {known['loss']:.4g} and its gradient has the norms {known['norms']}: try "
            "a lower learning rate, `optax.clip_by_global_norm`, smaller weights, or look at `sol.result` of a run."
        )
    for name, value in known.items():
        if not np.all(np.isfinite(value)):
            raise RuntimeError(f"At step {step} the rates of {name.split(' ', 1)[1]!r} are not finite.")
        records.setdefault(name, []).append(value)


def _validated(
    state: _Progress, validate: Callable | None, rebuild: Callable, patience: int | None, records: dict[str, list]
) -> tuple[_Progress, bool]:
    if validate is None:
        return state, False
    given = validate(rebuild(state.trained))
    if not is_one_float(given):
        raise ValueError(f"`validate` has to return one float; got {in_a_line(given)}.")
    found = jnp.asarray(given, state.best_loss.dtype)
    if bool(jnp.isnan(found)):
        raise RuntimeError(
            f"After step {int(state.step)} `validate` returned NaN: which parameters are best is unknown."
        )
    records.setdefault("validated", []).append(np.asarray([float(state.step), float(found)]))
    if bool(found < state.best_loss):
        state = eqx.tree_at(lambda s: (s.best, s.best_loss, s.best_step), state, (state.trained, found, state.step))
    return state, _out_of_patience(state, patience)


def _out_of_patience(state: _Progress, patience: int | None) -> bool:
    return patience is not None and int(state.step) - int(state.best_step) >= patience


def _result(
    state: _Progress, records: dict[str, list], names: list[str], rebuild: Callable, validated: bool, stopped: bool
) -> Trained:
    seen = {name: np.asarray(values) for name, values in records.items()}
    silent, fastest = (
        {name.removeprefix(prefix): v for name, v in seen.items() if name.startswith(prefix)}
        for prefix in ("silent ", "fastest ")
    )
    findings = diagnose(seen["loss"], seen["norms"], names, silent, fastest)
    for finding in findings:
        warnings.warn(str(finding), TrainingWarning, stacklevel=3)
    best = rebuild(state.best if validated else state.trained)
    validation = {int(step): float(value) for step, value in seen.get("validated", [])}
    norm = np.sqrt(np.sum(seen["norms"].astype(float) ** 2, axis=1))
    return Trained(rebuild(state.trained), best, seen["loss"], norm, validation, tuple(findings), stopped)
