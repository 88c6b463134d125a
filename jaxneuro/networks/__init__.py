"""The named networks of the literature, each a short function that returns a network or a model."""

from ._conductance import conductance_based as conductance_based, conductance_neuron as conductance_neuron
from ._heavy_tails import wardak_gong as wardak_gong
from ._microcircuit import microcircuit as microcircuit
from ._rates import (
    ei_rate as ei_rate,
    hopfield as hopfield,
    memory as memory,
    ring as ring,
    supralinear as supralinear,
)
from ._space import keane_gong as keane_gong, spatial_balanced as spatial_balanced
from ._spiking import binary as binary, brunel as brunel
