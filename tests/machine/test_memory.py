"""How much memory there is, and the words for too little."""

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
import torch

from nst_tutorial.machine import memory
from nst_tutorial.machine.memory import is_out_of_memory


def test_limits_of_containers_are_respected(tmp_path):
    def free(folder, groups="0::/\n"):
        own = tmp_path / "own"
        own.write_text(groups)
        return memory._free_in_container(folder, own)

    assert free(tmp_path) is None
    assert memory._free_in_container(tmp_path, tmp_path / "nothing") is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5")
    assert free(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000")
    (tmp_path / "memory.current").write_text("400")
    assert free(tmp_path) == 600
    # The process's own group, which lies inside
    job = tmp_path / "jobs" / "17"
    job.mkdir(parents=True)
    (job / "memory.max").write_text("500")
    (job / "memory.current").write_text("450")
    assert free(tmp_path, "0::/jobs/17\n") == 50
    (job / "memory.stat").write_text("anon 250\ninactive_file 200\n")
    assert free(tmp_path, "0::/jobs/17\n") == 250  # cached files give way
    (job / "memory.stat").write_text("inactive_file 449\n")
    (tmp_path / "memory.current").write_text("900")
    assert free(tmp_path, "0::/jobs/17\n") == 100  # the outer group is the stricter one
    old = tmp_path / "old" / "memory" / "job"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("70")
    (old / "memory.usage_in_bytes").write_text("100")
    assert free(tmp_path / "old", "3:cpu:/\n4:memory,x:/job\n") == 0
    (old / "memory.stat").write_text("total_inactive_file 40\n")
    assert free(tmp_path / "old", "4:memory,x:/job\n") == 10


def test_free_memory_is_known_here():
    free = memory.free_memory(torch.device("cpu"))
    assert 1e8 < free < 1e13
    assert memory.usable(torch.device("cpu")) > 0.8 * memory.SPARE * free


def test_processes_share_what_is_free_and_keep_what_they_have(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda device: 10e9)
    monkeypatch.setattr(memory, "_resident", lambda: 3e9)
    cpu = torch.device("cpu")
    assert memory.usable(cpu) == pytest.approx(3e9 + 8e9)
    assert memory.usable(cpu, sharing=4) == pytest.approx(3e9 + 2e9)
    monkeypatch.setattr(memory, "free_memory", lambda device: None)
    assert memory.usable(cpu, sharing=4) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `create(handle)`"),
        RuntimeError("CUDA error: CUDNN_STATUS_ALLOC_FAILED when calling `create(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't "
                     "allocate memory: you tried to allocate 9437184 bytes. Error code 12"),
        RuntimeError("could not create a primitive"),
        RuntimeError("could not create a memory object"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        SystemError("<built-in method run_backward> returned NULL without setting an exception"),
        SystemError("error return without exception set"),
    ],
    ids=str,
)  # fmt: skip
def test_words_that_mean_too_little_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("an illegal memory access was encountered"),
        RuntimeError("could not create the folder"),
        SystemError("bad argument to internal function"),
        OSError(28, "No space left on device"),
        KeyboardInterrupt(),
    ],
    ids=str,
)
def test_words_that_mean_something_else(error):
    assert not is_out_of_memory(error)


def test_the_least_of_all_limits_counts(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(memory, "_free_in_container", lambda: None)
    monkeypatch.setattr(memory, "_free_in_address_space", lambda: None)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=7_000))
    assert memory.free_memory(cpu) == 7_000
    monkeypatch.setattr(memory, "_free_in_container", lambda: 5_000)
    assert memory.free_memory(cpu) == 5_000
    monkeypatch.setattr(memory, "_free_in_address_space", lambda: 3_000)
    assert memory.free_memory(cpu) == 3_000


def test_a_limit_of_the_address_space_leaves_what_is_not_used(monkeypatch):
    resource = pytest.importorskip("resource")
    used = psutil.Process().memory_info().vms
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (used + 10**9, used + 10**9))
    assert memory._free_in_address_space() == pytest.approx(1e9, abs=1e8)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10**6, 10**6))
    assert memory._free_in_address_space() == 0
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: unlimited)
    assert memory._free_in_address_space() is None
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    assert memory._free_in_address_space() is None


def test_the_memory_of_this_process():
    """In a process of its own: freed memory that is used again would not be seen to be taken."""
    script = (
        "import torch\nfrom nst_tutorial.machine import memory\n"
        "before = memory._resident()\nblock = torch.ones(64 * 2**20)\n"
        "print((memory._resident() - before) / block.nbytes)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert 0.9 < float(done.stdout) < 1.2, done.stderr


SCARCE = """
import resource, sys, warnings
import psutil, torch
from nst_tutorial.losses.objective import Objective
from nst_tutorial.losses.terms import Content
from nst_tutorial.tiling import engine
from nst_tutorial.tiling.targets import features_of
from nst_tutorial.vgg.network import VGG19

torch.manual_seed(0)
model = VGG19("random", channels=(64,) * 5, pooling="average", device="cpu")
image = torch.rand(1, 3, 448, 448)
target = features_of(model, image.flip(3), ["relu3_1"], tile=64)["relu3_1"]
objective = Objective(model, {"content": Content("relu3_1", target, 1.0)}, {"content": 1.0})
expected = engine.Engine(objective, tile=64).value_and_gradient(image)
errors, seen = [], engine.is_out_of_memory
engine.is_out_of_memory = lambda error: (errors.append(repr(error)), seen(error))[1]
limit = psutil.Process().memory_info().vms + int(sys.argv[1]) * 2**20
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
scarce = engine.Engine(objective)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    try:
        found = scarce.value_and_gradient(image)
    except Exception as error:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        assert seen(error) and scarce.tile == 112, (scarce.tile, errors)
        sys.exit("too little for the smallest tile")
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
print(*errors, sep="\\n", file=sys.stderr)
if errors or int(sys.argv[1]) < 100:  # what a convolution takes depends on the processor
    assert scarce.tile in (224, 112), scarce.tile
    assert "not enough memory for tiles of 448" in str(told[0].message)
assert len(told) == len(errors)
assert (found.gradient - expected.gradient).norm() < 1e-3 * expected.gradient.norm()
assert abs(found.total / expected.total - 1) < 1e-5
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux only")
@pytest.mark.parametrize("megabytes", [60, 80, 120])
def test_where_memory_is_scarce_tiles_get_smaller(megabytes):
    """Limits hit other operations. 120 to 160 MB would do for the picture in one piece."""
    command = [sys.executable, "-c", SCARCE, str(megabytes)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux only")
def test_too_little_memory_for_anything_is_told_as_such():
    """oneDNN, which has no memory for its machine code, calls it a primitive not created."""
    command = [sys.executable, "-c", SCARCE, "8"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.stderr.splitlines()[-1] == "too little for the smallest tile", found.stderr
