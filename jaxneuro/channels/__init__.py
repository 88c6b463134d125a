"""Ion channels: gates with opening and closing rates, or with a steady state and a time constant."""

from ._calcium import CalciumL as CalciumL, CalciumT as CalciumT
from ._channel import (
    AbstractChannel as AbstractChannel,
    Kinetics as Kinetics,
    checked_pair as checked_pair,
    rates as rates,
    relaxation as relaxation,
)
from ._connor_stevens import (
    AType as AType,
    ConnorStevensPotassium as ConnorStevensPotassium,
    ConnorStevensSodium as ConnorStevensSodium,
)
from ._cortical import MType as MType, TraubPotassium as TraubPotassium, TraubSodium as TraubSodium
from ._h import HCurrent as HCurrent
from ._leak import Leak as Leak
from ._squid import Potassium as Potassium, Sodium as Sodium
from ._wang_buzsaki import (
    WangBuzsakiPotassium as WangBuzsakiPotassium,
    WangBuzsakiSodium as WangBuzsakiSodium,
)
