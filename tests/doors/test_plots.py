"""What cannot be drawn is refused in one sentence that names the argument."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import jaxneuro as jn

X = [1.0, 2.0]
RUN = lambda: jn.simulate(jn.networks.ring(n=4), 0.0, 2.0, dt=1.0)  # noqa: E731

WRONG = {
    "spectrum of a number": (lambda: jn.plot.spectrum(3), "`found` has to be a run, or what"),
    "spectrum of nothing": (lambda: jn.plot.spectrum({}), "`found` is empty"),
    "spectrum of no record": (lambda: jn.plot.spectrum(RUN()), "`record` has to name a record of `jn.record.Spectrum`"),
    "traces of a number": (lambda: jn.plot.traces(3), "`sol` has to be what"),
    "traces of no record": (lambda: jn.plot.traces(RUN()), "`record` has to name a `jn.record.Trace`"),
    "no trace at all": (lambda: jn.plot.traces(RUN(), record="rate", most=0), "`most` has to be a number of neurons"),
    "other spikes": (lambda: jn.plot.traces(RUN(), record="rate", spikes=3), "`spikes` has to be a record of `Spikes`"),
    "density of nothing": (lambda: jn.plot.density({}), "`found` is empty"),
    "density of NaN": (lambda: jn.plot.density({"E": [np.nan]}), r"`found\['E'\]`"),
    "density of text": (lambda: jn.plot.density("rate"), "`found`"),
    "theory without x": (lambda: jn.plot.density(X, theory={"a": X[:1]}), r"`theory\['a'\]` has to be \(x, density\)"),
    "theory of two lengths": (lambda: jn.plot.density(X, theory={"a": (X, [1.0])}), "rows of one length"),
    "no label": (lambda: jn.plot.density(X, label=3), "`label` has to be text"),
    "no current": (lambda: jn.plot.fi_curve([], []), "`current` has to be"),
    "rates of another length": (lambda: jn.plot.fi_curve(X, {"a": [1.0]}), r"`rates\['a'\]` has shape \(1,\)"),
    "theory of another length": (lambda: jn.plot.fi_curve(X, X, theory=[1.0]), r"`theory` has shape \(1,\)"),
    "laws of a number": (lambda: jn.plot.laws(3), "`results` has to be what `jn.fit` returns"),
    "one law of a number": (lambda: jn.plot.laws({"a": 3}), r"`results\['a'\]` has to be what `jn.fit` returns"),
    "profile of a number": (lambda: jn.plot.profile(3), "`found` has to be what"),
    "bootstrap of a number": (lambda: jn.plot.bootstrap(3, "g"), "`result` has to be what"),
    "training of a number": (lambda: jn.plot.training(3), "`trained` has to be what"),
    "audit of a number": (lambda: jn.plot.gradient_audit(3), "`audit` has to come from"),
    "states of a number": (lambda: jn.plot.state_map(3), "`grid` has to be the Dataset"),
    "axes that are none": (lambda: jn.plot.fi_curve(X, X, ax=3), "`ax` has to be axes of matplotlib"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("name", list(WRONG))
def test_what_cannot_be_drawn_is_refused(name):
    call, sentence = WRONG[name]
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
    plt.close("all")
