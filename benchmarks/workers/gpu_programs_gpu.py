"""Compiles one program for one card for each line it reads; run by the interpreter of `make gpu-compiler`."""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
DUMP = Path(os.environ.get("JAXNEURO_GPU_DUMP", ""))
# Cards as NVIDIA describes them: memory [bytes], bandwidth [bytes/s], second cache [bytes].
CARDS = {
    "h200": ("NVIDIA H200", 150_754_820_096, 4_800_000_000_000, 62_914_560),
    "h100": ("NVIDIA H100 80GB HBM3", 84_929_347_584, 3_352_320_000_000, 52_428_800),
}
# Seconds for a launch by itself, for one in a command buffer, and for a condition that the host reads.
LAUNCH, CAPTURED, WAIT = 4e-6, 1.5e-6, 15e-6
# Products of bfloat16 and other operations a second, at what is commonly reached of 990e12 and 67e12.
PRODUCTS, OPERATIONS = 600e12, 30e12


def restart() -> None:
    """Starts again with what has to be set before JAX is imported: no driver is asked for, and XLA tells all."""
    folder = tempfile.mkdtemp(prefix="gpu_programs_")
    flags = "--xla_gpu_autotune_level=0 --xla_dump_hlo_module_re=jit_program"
    more = f"--xla_dump_to={folder} --xla_gpu_cuda_data_dir={SITE / 'nvidia' / 'cuda_nvcc'}"
    own = {
        "JAXNEURO_GPU_DUMP": folder,
        "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags} {more}",
        "PYTHONPATH": str(ROOT),
    }
    os.execve(sys.executable, [sys.executable, __file__], {**os.environ, **own})


def topology(card: str, n: int) -> Any:
    """The devices of a machine with `n` such cards."""
    from jax.experimental import topologies

    name, memory, bandwidth, cache = CARDS[card]
    config = f"""
gpu_device_info {{
  cuda_compute_capability {{ major: 9 }} core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  threads_per_warp: 32 threads_per_block_limit: 1024 threads_per_core_limit: 2048
  shared_memory_per_block: 49152 shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  device_memory_size: {memory} memory_bandwidth: {bandwidth} l2_cache_size: {cache}
}}
platform_name: "CUDA" device_description_str: "{name}"
runtime_version {{ major: 12 minor: 9 }} dnn_version_info {{ major: 9 minor: 10 }}
"""
    return topologies.get_topology_desc("card", "cuda", target_config=config, topology=f"1x1x{n}").devices


def compile_for(card: str, case: Any, small: bool) -> Any:
    """The compiled program; over several devices each has a part of the runs, and all of what they share."""
    import equinox as eqx
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    function, arguments = case.make(small)
    arrays, rest = eqx.partition(arguments, eqx.is_array)

    def program(own: Any) -> Any:
        return function(*eqx.combine(own, rest))

    mesh = Mesh(np.asarray(topology(card, case.devices)), ("runs",))
    runs, shared = PartitionSpec("runs"), PartitionSpec()
    specs = (shared, *([runs] * (len(arguments) - 1))) if case.devices > 1 else (shared,) * len(arguments)

    def shapes(tree: Any, spec: Any) -> Any:
        place = NamedSharding(mesh, spec)
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), tree)

    given = tuple(shapes(tree, spec) for tree, spec in zip(arrays, specs, strict=True))
    if case.devices > 1:
        on_each = jax.shard_map(program, mesh=mesh, in_specs=(specs,), out_specs=runs, check_vma=False)
        on_each.__name__ = program.__name__
        return jax.jit(on_each).lower(given).compile()
    return jax.jit(program).lower(given).compile()


def seconds(launches: list, text: Any, bandwidth: float) -> float:
    """The estimate: launch by launch the longest of launching, moving and computing."""
    from benchmarks import _gpu_listing as listing

    total, run = 0.0, 0
    for place, one in enumerate(launches):
        if one.loop:
            run = 0
            inner = seconds(one.body, text, bandwidth)
            each = WAIT + seconds(one.condition, text, bandwidth) if one.turns is None else 0.0
            total += (one.turns or 1) * inner + each * (2 if one.turns is None else 0)
            continue
        run = run or next((k for k, x in enumerate(launches[place:]) if x.loop), len(launches) - place)
        work = text.work(one.name)
        launch = CAPTURED if run >= listing.LEAST_CAPTURED else LAUNCH
        total += max(launch, work.bytes / bandwidth, work.products / PRODUCTS, work.operations / OPERATIONS)
    return total


def dumped(kind: str) -> str:
    """The text of the last program of a kind."""
    return max(DUMP.glob(f"*{kind}.txt"), key=lambda path: path.stat().st_mtime).read_text()


def answer(name: str, card: str, small: bool) -> dict[str, Any]:
    """What is told of one program."""
    from benchmarks import _gpu_listing as listing
    from benchmarks._gpu_cases import CASES

    case, begin = CASES[name], time.perf_counter()
    compiled = compile_for(card, case, small)
    taken, memory, hlo = time.perf_counter() - begin, compiled.memory_analysis(), compiled.as_text()
    launches = listing.read_launches(dumped("thunk_sequence"), dumped("thunk_metadata"), hlo)
    text = listing.Program(hlo)
    bandwidth = CARDS[card][2]
    main = listing.main_loop(launches)
    turn = main.body if main is not None else launches
    told = []
    for loop in listing.loops(launches):
        times = "unknown, by the host" if loop.turns is None else f"{loop.turns:,}"
        told.append(f"{listing.kernels(loop.body)} launches x {times}")
    keep = os.environ.get("JAXNEURO_GPU_KEEP")
    if keep:
        label = re.sub(r"\W+", "_", f"{name} {card}")
        Path(keep, f"{label}.txt").write_text(hlo)
        Path(keep, f"{label}_launches.txt").write_text(dumped("thunk_sequence"))
    for path in DUMP.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {
        "kernels": listing.kernels(turn),
        "captured": listing.captured(turn),
        "waits": listing.waits(turn) + (2 if main is not None and main.turns is None else 0),
        "loops": ", ".join(told),
        "temporaries": memory.temp_size_in_bytes,
        "arguments": memory.argument_size_in_bytes,
        "turn": seconds(turn, text, bandwidth),
        "seconds": seconds(launches, text, bandwidth),
        "what": case.what,
        "devices": case.devices,
        "collectives": text.collectives,
        "compilation": taken,
    }


def main() -> None:
    if not os.environ.get("JAXNEURO_GPU_DUMP"):
        restart()
    import jax

    print(json.dumps({"jax": jax.__version__}), flush=True)
    try:
        for line in sys.stdin:
            print(json.dumps(answer(**json.loads(line))), flush=True)
    finally:
        shutil.rmtree(DUMP, ignore_errors=True)


if __name__ == "__main__":
    main()
