"""What a network does, found by running it."""

from ._damage import Damage as Damage, damage as damage
