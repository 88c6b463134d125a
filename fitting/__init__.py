"""Fitting studies: data with their provenance, fits and figures. All machinery is in `jaxneuro`."""
