"""What is read of a program that is compiled for a GPU: a listing by hand, with loops in loops."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import _gpu_listing as listing, gpu_programs
from benchmarks._gpu_cases import CASES
from benchmarks.peers import PEERS

ROOT = Path(__file__).resolve().parents[2]
SEQUENCE = """\
001: kCopy         [source       | next=002 (1)] MemcpyDeviceToDeviceCmd
002: kWhile        [prev=001 (1) | next=014 (1)]
condition:
    003: kCustomKernel [source | sink] compare grid: [1, 1, 1]
  body:
    004: kCustomKernel [source       | next=005 (1)] first grid: [8, 1, 1]
    005: kWhile        [prev=004 (1) | next=009 (1)]
condition:
        006: kCustomKernel [source | sink] wrapped_compare grid: [1, 1, 1]
      body:
        007: kCustomKernel [source       | next=008 (1)] inner grid: [8, 1, 1]
        008: kCopy         [prev=007 (1) | sink        ] (no description)
    009: kKernel       [prev=005 (1) | next=010 (1)] kernel=product, launch dimensions=blocks: {1, 1}
    010: kCustomKernel [prev=009 (1) | next=011 (1)] a grid: [8, 1, 1]
    011: kCustomKernel [prev=010 (1) | next=012 (1)] b grid: [8, 1, 1]
    012: kCustomKernel [prev=011 (1) | next=013 (1)] c grid: [8, 1, 1]
    013: kCustomKernel [prev=012 (1) | sink        ] d grid: [8, 1, 1]
014: kCustomKernel [prev=002 (1) | sink        ] last grid: [1, 1, 1]
"""
NAMES = {2: "while.1", 5: "while.2", 9: "product", 14: "last"}
METADATA = "".join(f'thunk_info {{\n profile_annotation: "{name}"\n thunk_id: {k}\n}}\n' for k, name in NAMES.items())
PROGRAM = """\
%inside (a: f32[4,100], b: f32[1,100], k: s32[]) -> f32[4,100] {
  %a = f32[4,100]{1,0} parameter(0)
  %b = f32[1,100]{1,0} parameter(1)
  %k = s32[] parameter(2)
  %doubled = f32[1,100]{1,0} add(%b, %b)
  ROOT %set = f32[4,100]{1,0} dynamic-update-slice(%a, %doubled, %k, %k)
}

%multiplied (x: bf16[32,64], y: bf16[64,16]) -> f32[32,16] {
  %x = bf16[32,64]{1,0} parameter(0)
  %y = bf16[64,16]{1,0} parameter(1)
  ROOT %dot = f32[32,16]{1,0} dot(%x, %y), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}

ENTRY %main (p: f32[4,100], q: f32[1,100], n: s32[], u: bf16[32,64], v: bf16[64,16]) -> f32[4,100] {
  %p = f32[4,100]{1,0} parameter(0)
  %q = f32[1,100]{1,0} parameter(1)
  %n = s32[] parameter(2)
  %u = bf16[32,64]{1,0} parameter(3)
  %v = bf16[64,16]{1,0} parameter(4)
  %while.1 = (s32[]) while(%n), body=%r, backend_config={"known_trip_count":{"n":"200"},"known_init_step":{}}
  %while.2 = (s32[]) while(%n), body=%s, backend_config={}
  %product = f32[32,16]{1,0} fusion(%u, %v), kind=kCustom, calls=%multiplied
  ROOT %last = f32[4,100]{1,0} fusion(%p, %q, %n), kind=kLoop, calls=%inside
}
"""


def test_launches_loops_and_waits_are_counted():
    launches = listing.read_launches(SEQUENCE, METADATA, PROGRAM)
    assert [one.loop for one in launches] == [False, True, False]
    main = listing.main_loop(launches)
    assert main is not None
    assert (main.turns, [one.turns for one in listing.loops(launches)]) == (200, [200, None])
    # Six kernels and, once, the loop of unknown length: two launches, and its condition before and after.
    assert listing.kernels(main.body) == 6 + 2 + 2
    assert listing.kernels(launches) == 2 + 200 * 10
    # The one before the inner loop is alone; the five after it are enough for a command buffer.
    assert listing.captured(main.body) == 5
    assert listing.waits(main.body) == 2


def test_bytes_and_products_are_those_of_the_shapes():
    program = listing.Program(PROGRAM)
    # Of the array one row is replaced: 400 bytes read, 400 written, and the number of the row; computed is that row.
    assert program.work("last") == listing.Work(bytes=804.0, products=0.0, operations=200.0)
    product = program.work("product")
    assert product.products == 2 * 32 * 64 * 16
    assert product.bytes == 2 * 32 * 64 + 2 * 64 * 16 + 4 * 32 * 16
    assert program.work("nowhere") == listing.Work()
    assert program.collectives == 0
    assert listing.Program(f"{PROGRAM}  %c = f32[1]{{0}} all-reduce-start(%x)").collectives == 1


def test_an_absent_compiler_and_unknown_names_are_one_sentence(monkeypatch):
    monkeypatch.setattr(gpu_programs, "worker_or_none", lambda *_: None)
    rows = gpu_programs.run()
    assert [row["what"] for row in rows] == list(CASES)
    assert all(row["ours"] is None and "make gpu-compiler" in row.get("note", "") for row in rows)
    with pytest.raises(ValueError, match=r"^`cards` has to hold cards of h200, h100; got 'a100'\.$"):
        gpu_programs.run(cards=("a100",))
    with pytest.raises(ValueError, match=r"^`names` has to hold programs of one Brunel network, .*; got 'two'"):
        gpu_programs.run(names=("two",))


def test_the_compiler_is_made_only_where_it_is_named():
    assert [name for name, peer in PEERS.items() if peer.by_name] == ["gpu"]
    found = subprocess.run(
        [sys.executable, "-S", "-m", "benchmarks.peers", "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "all but gpu" in " ".join(found.stdout.split())
