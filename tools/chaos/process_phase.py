"""What a stopped process of vllama is doing, read from outside: from the stacks of its threads.

A word on a stack that is an address inside one of our functions is taken for a return address. A stale
word can mislead, so the answer is a good guess: good enough to spread kills and to count them.
"""
import bisect
import os
import re
import struct
import subprocess
import time

# What being inside a function means, for the thread that trains ("main"), or for any other.
PHASES = [
    ("main", "backward", r"torch::autograd::Engine::execute\("),
    ("main", "all-reduce", r"vllama::distributed::Communicator::sum\("),
    ("main", "update", r"vllama::optim::AdamW::step\("),
    ("main", "forward", r"vllama::models::VideoLlama::loss\("),
    ("main", "waiting for data", r"vllama::datasets::Loader::next\("),
    ("main", "snapshot for a checkpoint", r"vllama::train::CheckpointWriter::save\("),
    ("main", "recording", r"vllama::train::RunRecord::write\("),
    ("main", "resuming", r"vllama::train::resume\("),
    ("main", "loading the model", r"vllama::models::load_video_llama\("),
    ("main", "joining", r"vllama::distributed::Communicator::Communicator\("),
    ("other", "decode", r"vllama::media::"),
    ("other", "saving", r"vllama::checkpoint::save_step\("),
    ("other", "removing", r"vllama::checkpoint::(remove_steps|remove_leftovers)\("),
]
STACK_BYTES = 1 << 16


def symbols(path, dynamic):
    """(start, end, thread, phase) of the functions of a file that tell a phase."""
    command = ["nm", "--defined-only", "-S", "-C"] + (["-D"] if dynamic else []) + [path]
    found = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        parts = line.split(" ", 3)
        if len(parts) < 4 or parts[2] not in "tTwW":
            continue
        for thread, phase, pattern in PHASES:
            if re.match(pattern, parts[3]):
                start = int(parts[0], 16)
                found.append((start, start + int(parts[1], 16), thread, phase))
    return found


class Phases:
    def __init__(self, program):
        self.program = os.path.realpath(program)
        self.symbols = {self.program: symbols(self.program, dynamic=False)}
        libraries = subprocess.run(["ldd", self.program], capture_output=True, text=True, check=True).stdout
        libtorch = re.search(r"=> (\S*libtorch_cpu\.so)", libraries)
        if libtorch:
            path = os.path.realpath(libtorch.group(1))
            self.symbols[path] = symbols(path, dynamic=True)

    def of(self, process):
        """The phase of the training thread, and the set of those of the others; None if it is gone."""
        try:
            ranges = self.ranges_in(process)
            main, others = None, set()
            for thread in os.listdir(f"/proc/{process}/task"):
                wanted = "main" if thread == str(process) else "other"
                phase = self.innermost(process, thread, ranges, wanted)
                if wanted == "main":
                    main = phase
                elif phase:
                    others.add(phase)
            return main or "starting", others
        except (OSError, ValueError, struct.error):
            return None

    def ranges_in(self, process):
        """The functions at the addresses where the process has loaded them, in order."""
        bases = {}
        with open(f"/proc/{process}/maps") as maps:
            for line in maps:
                parts = line.split()
                if len(parts) >= 6 and parts[5] in self.symbols and parts[5] not in bases:
                    bases[parts[5]] = int(parts[0].split("-")[0], 16) - int(parts[2], 16)
        return sorted((base + start, base + end, thread, phase)
                      for path, base in bases.items() for start, end, thread, phase in self.symbols[path])

    @staticmethod
    def innermost(process, thread, ranges, wanted):
        with open(f"/proc/{process}/task/{thread}/syscall") as file:
            stack_pointer, program_counter = (int(word, 16) for word in file.read().split()[-2:])
        with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
            memory.seek(stack_pointer)
            stack = memory.read(STACK_BYTES)
        words = (program_counter,) + struct.unpack(f"<{len(stack) // 8}Q", stack[:len(stack) // 8 * 8])
        starts = [entry[0] for entry in ranges]
        for word in words:
            at = bisect.bisect_right(starts, word) - 1
            if at >= 0 and word < ranges[at][1] and ranges[at][2] == wanted:
                return ranges[at][3]
        return None


def thread_states(process):
    states = ""
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/stat") as file:
            states += file.read().rsplit(")", 1)[1].split()[0]
    return states


def wait_until_stopped(process):
    """False if it has ended instead."""
    while True:
        try:
            states = thread_states(process)
        except OSError:  # a thread ended meanwhile, or all did
            if not os.path.isdir(f"/proc/{process}"):
                return False
            continue
        if set(states) <= set("Tt"):
            return True
        if states[0] in "ZX":
            return False
        time.sleep(0.0002)
