"""The laws, data of one set with the fits, the errors of all, and what runs say."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..figures._style import E, I, letters, panels, style
from ._laws import NU_X, AbstractScaling, conditions
from ._recover import GAIN, IN_DEGREES, POWER, TRUE, Recovered
from ._simulated import Refitted
from ._study import Study

LINES: dict[str, dict[str, Any]] = {POWER: dict(color="black", ls="-"), GAIN: dict(color="0.5", ls="--")}
MARKS = {"E": dict(color=E, marker="o"), "I": dict(color=I, marker="^")}


def _over_k(ax: Any, in_degrees: Sequence[float]) -> None:
    ax.set(xscale="log", xlabel="in-degree $K$ (1)")
    ax.set_xticks(in_degrees, [f"{x:g}" for x in in_degrees])
    ax.xaxis.minorticks_off()


def _draw_laws(ax: Any) -> None:
    k = jnp.asarray(IN_DEGREES)
    for name, law in TRUE.items():
        ax.plot(k, law().efficacy(k), marker=".", label=name, **LINES[name])
    ax.set(yscale="log", ylabel="efficacy $a$ (1)")
    _over_k(ax, IN_DEGREES)
    ax.legend()


def _theory(law: AbstractScaling, nu_x: float) -> tuple[np.ndarray, np.ndarray]:
    """Rate and CV at one external rate, from the program that the fits compiled."""
    k, rates = (jnp.asarray(x) for x in conditions(IN_DEGREES))
    rate, cv = (np.asarray(x)[np.asarray(rates) == nu_x, 0] for x in law.solve(k, rates))
    return rate, cv


def _draw_set(axes: list[Any], found: Recovered) -> None:
    """The first data set of one law, with both fits."""
    data, fits = found.data[0], found.fits[0]
    for nu_x in NU_X:
        at = np.asarray(data.nu_x) == nu_x
        for name, fit in fits.items():
            for ax, said in zip(axes, _theory(fit.model, nu_x), strict=True):
                ax.plot(IN_DEGREES, said, label=f"fit: {name}" if nu_x == NU_X[0] else None, **LINES[name])
        for i, (name, mark) in enumerate(MARKS.items()):
            for ax, seen in zip(axes, (data.rate, data.cv), strict=True):
                ax.plot(
                    IN_DEGREES,
                    np.asarray(seen)[at, i],
                    ls="none",
                    ms=4,
                    label=name if nu_x == NU_X[0] else None,
                    **mark,
                )
    for ax, what in zip(axes, ("rate (Hz)", "CV of intervals (1)"), strict=True):
        ax.set_ylabel(what)
        _over_k(ax, IN_DEGREES)
    axes[0].set_ylim(0.0, 1.45 * axes[0].get_ylim()[1])
    axes[0].set_title(f"data by {found.made_by}; above {NU_X[1]:g} Hz, below {NU_X[0]:g} Hz", fontsize=6, loc="right")
    axes[0].legend(loc="upper left", fontsize=6, ncols=2)
    axes[1].set_title(f"above {NU_X[0]:g} Hz, below {NU_X[1]:g} Hz", fontsize=7)


def _draw_errors(ax: Any, study: Study) -> None:
    edges = np.linspace(-4.0, 4.0, 17)
    for name, found in study.recovered.items():
        ax.hist(
            np.clip(found.errors, -3.99, 3.99), edges, density=True, histtype="step", lw=1.3,
            label=f"{found.parameter}, {name}: {found.held} of {len(found.fits)} held", **LINES[name],
        )  # fmt: skip
    z = np.linspace(-4.0, 4.0, 200)
    ax.plot(z, np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi), color="0.8", lw=1.0, zorder=0)
    ax.set(xlabel="error of the fit (standard errors)", ylabel="density (1)")
    ax.set_ylim(0.0, 1.35 * ax.get_ylim()[1])
    ax.legend(loc="upper left", fontsize=6)


def _draw_margins(ax: Any, study: Study) -> None:
    for place, (name, found) in enumerate(study.recovered.items()):
        other = next(n for n in TRUE if n != name)
        margins = [fits[other].aicc - fits[name].aicc for fits in found.fits]
        ax.plot(np.linspace(-0.3, 0.3, len(margins)) + place, margins, ".", color=LINES[name]["color"])
    ax.axhline(0.0, color="0.8", lw=0.8)
    ax.set_xticks(range(len(study.recovered)), [f"made by\n{name}" for name in study.recovered])
    ax.set(xlim=(-0.6, len(study.recovered) - 0.4), ylabel="AICc of the other law - own (1)")
    ax.set_ylim(min(0.0, ax.get_ylim()[0]), None)


def _draw_runs(ax: Any, found: Refitted) -> None:
    k, rates = np.asarray(found.data.k), np.asarray(found.data.rate)
    said = np.asarray(found.true.solve(found.data.k, found.data.nu_x)[0])[:, 0]
    for nu_x in NU_X:
        at, first = np.asarray(found.data.nu_x) == nu_x, nu_x == NU_X[0]
        ax.plot(k[at], said[at], color="black", label="theory at the true law" if first else None)
        for i, (name, mark) in enumerate(MARKS.items()):
            ax.plot(k[at], rates[at, i], ls="none", ms=4, label=f"{name}, runs" if first else None, **mark)
    ax.set(ylabel="rate (Hz)", ylim=(0.0, None))
    _over_k(ax, sorted(set(k)))
    ax.set_title(
        f"alpha {float(found.true.alpha):g}: theory {found.by_theory.params['alpha']:.3f}, "
        f"runs {found.alpha:.3f} +- {found.error:.3f}",
        fontsize=6,
        loc="right",
    )
    ax.legend(fontsize=6)


def draw(study: Study) -> Any:
    """The figure."""
    with style():
        figure, axes = panels(2, 3)
        flat = list(axes.ravel())
        _draw_laws(flat[0])
        _draw_set(flat[1:3], study.recovered[POWER])
        _draw_errors(flat[3], study)
        _draw_margins(flat[4], study)
        if study.refitted is None:
            flat[5].remove()
        else:
            _draw_runs(flat[5], study.refitted)
        letters(flat[: 5 if study.refitted is None else 6])
    return figure
