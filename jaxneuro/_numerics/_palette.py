"""Colours of figures: one home, so that a kind of neuron has the same ones everywhere."""

COLOURS = ("#0b5fa5", "#c4442b", "#3a7d44", "#7b5aa6", "#8a6d3b")
KIND_COLOURS = {"E": COLOURS[0], "I": COLOURS[1]}
