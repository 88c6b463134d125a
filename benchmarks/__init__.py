"""Benchmarks beside the peers: `python -m benchmarks` lists them. Importing this package imports nothing."""
