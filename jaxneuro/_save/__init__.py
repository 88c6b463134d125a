"""The machinery behind `jn.save` and `jn.load`."""

from ._save import load as load, save as save
