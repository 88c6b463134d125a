"""Result codes: what became of a run or a solve, as a value that survives jit and vmap."""

import equinox as eqx


class Result(eqx.Enumeration):
    """What became of a computation; compare with `==`, print for the sentence."""

    successful = "Successful."
    nonfinite_state = "The state became NaN or infinite. Take a smaller dt, weaker weights or a weaker drive."
    wrong_wiring = "The connectivity of the network is not that of the wiring: draw the wiring again with `jn.wire`."
    wrong_drive = "A rate or a number of sources of a drive is negative or not finite."
    wrong_surrogate = "A number of a surrogate derivative is not allowed: a width has to be positive and finite."
    two_spikes = "A neuron spiked twice in one step, which holds one spike: take a smaller dt."
    long_step = (
        "The step is longer than the shortest time constant that it has to follow, of a channel or of a rate: what "
        "came out is not the model's. Take a smaller dt."
    )
    no_fixed_point = "No self-consistent rate was found on the searched range."
    already_slow = "More than that fraction of the neurons fires below that rate without any difference in in-degree."
    no_hopf = "The leading pair of eigenvalues has the same sign at both ends of the bracket."
    pair_turns_real = "A pair of eigenvalues turns real between the ends of the bracket, and does not cross the axis."
    short_window = "The sums over counts are too short: give `PoissonField(n_counts=...)` more of them."
    at_fold = "The solution lies at a fold (saddle-node), where its derivatives do not exist."
    not_converged = (
        "No start converged within the optimiser's steps. Try other starts or more steps; data that cannot tell the "
        "parameters apart need fewer of them free."
    )
    nonfinite_loss = "The loss is not finite at any start. Start elsewhere or give `bounds`."
    run_raised = "The run raised an error; `errors`, an attribute of the sweep, has its sentence."
