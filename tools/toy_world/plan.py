"""The commands that experiments need, in their order, and running those that are missing."""
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

# {folder:RUN} is the folder of a run, {weights:RUN} what its newest checkpoint trained, {world:NAME} the folder of a
# world.
PLACEHOLDER = re.compile(r"\{(folder|weights|world):([^}]*)\}")
INCLUDE = re.compile(r"^[\s-]*include:\s*([^\s#]+)", re.MULTILINE)


def configuration_hash(file):
    """Of a YAML file and of those that it includes; of those that are there."""
    digest, waiting, seen = hashlib.sha256(), [pathlib.Path(file)], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_text(errors="replace")
        digest.update(text.encode())
        waiting += [path.parent / name.strip("'\"") for name in INCLUDE.findall(text)]
    return digest.hexdigest()


def contents_hash(folders):
    """Of all files below folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file()):
            digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


class TableError(Exception):
    """A mistake in the table of experiments."""


def run_folder(folder, name, seed):
    return folder / f"seed_{seed}" / name


def evaluation_folder(folder, name, seed):
    return folder / f"seed_{seed}" / f"eval_{name}"


class Job:
    """One call of the program. `needs` are the names of jobs that must be done before."""

    def __init__(self, name, folder, arguments, needs, folders, inputs=""):
        self.name = name
        self.folder = folder
        self.needs = needs
        self._arguments = arguments  # with placeholders
        self._folders = folders  # of runs and worlds, by name
        self._inputs = inputs  # a hash of what else it reads

    def _replaced(self, match):
        kind, name = match.groups()
        if kind != "weights":
            return str(self._folders[name])
        checkpoints = self._folders[name] / "checkpoints"
        steps = sorted(checkpoints.glob("step_" + "[0-9]" * 6 + "*"), key=lambda step: int(step.name[5:]))
        newest = steps[-1].name if steps else "step_NEWEST"
        return str(checkpoints / newest / "trainable.safetensors")

    def command(self):
        return [PLACEHOLDER.sub(self._replaced, argument) for argument in self._arguments]

    def text(self):
        return shlex.join(self.command())

    def _record(self):
        return self.folder.with_name(self.folder.name + ".done.json")

    def log(self):
        return self.folder.with_name(self.folder.name + ".log")

    def _done(self):
        try:
            return json.loads(self._record().read_text())
        except (OSError, ValueError):
            return None

    def _configuration(self):
        return configuration_hash(self._arguments[2]) + self._inputs

    def _is_same(self, done):
        return done["command"] == self.command() and done["configuration"] == self._configuration()

    def is_done(self):
        done = self._done()
        return done is not None and self.folder.is_dir() and self._is_same(done)

    def conflict(self):
        """Why it must not run; empty if it may."""
        done = self._done()
        if done is None or not self.folder.exists() or self._is_same(done):
            return ""
        if done["command"] == self.command():
            return (f"'{self._arguments[2]}' has changed since '{self.folder}' was made, or what it includes, or the "
                    "base weights; move that folder away to make it anew")
        return (f"'{self.folder}' was made by another command; move it away to make it anew\n"
                f"  then: {shlex.join(done['command'])}\n  now:  {self.text()}")

    def finish(self, seconds):
        self._record().write_text(json.dumps({"command": self.command(), "configuration": self._configuration(),
                                              "seconds": round(seconds, 1)}) + "\n")

    def seconds(self):
        return (self._done() or {}).get("seconds", 0)

    def last_words(self):
        lines = [line for line in self.log().read_text(errors="replace").splitlines() if line.strip()]
        return "\n".join(lines[-5:])


class _Builder:
    def __init__(self, table, program, folder):
        self._table, self._program, self._folder = table, program, folder
        self._worlds = {name: pathlib.Path(entry["folder"]) for name, entry in table.get("worlds", {}).items()}
        self._inputs = contents_hash(table.get("inputs", []))
        self._under_way = []
        self.jobs = {}

    def _entry(self, kind, name):
        if name not in self._table[kind]:
            raise TableError(f"'{name}' is not among {kind}: {', '.join(self._table[kind])}")
        return self._table[kind][name]

    def _add(self, name, make):
        if name in self._under_way:
            raise TableError(f"'{name}' needs itself: {' -> '.join(self._under_way + [name])}")
        if name not in self.jobs:
            self._under_way.append(name)
            self.jobs[name] = make()
            self._under_way.pop()
        return self.jobs[name]

    def _world(self, name):
        entry = self._entry("worlds", name)
        arguments = [self._program, "toy-world", entry["folder"], *entry["options"]]
        return self._add(f"world {name}", lambda: Job(f"world {name}", self._worlds[name], arguments, [], {}))

    def _job(self, name, folder, verb, entry, more, seed):
        changes = [f"output_dir={folder}", *more, *entry.get("set", [])]
        arguments = [self._program, verb, entry["config"]]
        for change in changes:
            arguments += ["--set", change]
        needs = [self._world(world).name for world in list(self._worlds)[:1]]
        for argument in arguments:
            needs += [self._world(needed).name if kind == "world" else self.run(needed, seed).name
                      for kind, needed in PLACEHOLDER.findall(argument)]
        folders = {run: run_folder(self._folder, run, seed) for run in self._table["runs"]}
        return Job(name, folder, arguments, needs, {**folders, **self._worlds}, self._inputs)

    def run(self, name, seed):
        entry, title = self._entry("runs", name), f"{name}, seed {seed}"
        return self._add(title, lambda: self._job(title, run_folder(self._folder, name, seed), "train", entry,
                                                  [f"seed={seed}"], seed))

    def evaluation(self, name, seed):
        entry, title = self._entry("evaluations", name), f"evaluation {name}, seed {seed}"
        model = [f"model={{folder:{entry['model']}}}"] if "model" in entry else []
        return self._add(title, lambda: self._job(title, evaluation_folder(self._folder, name, seed), "eval", entry,
                                                  model, seed))


def jobs_for(experiments, table, seeds, program, folder):
    """What the arms of `experiments` need, each once, after what it needs itself; one experiment after the other."""
    builder = _Builder(table, program, folder)
    for experiment in experiments:
        for seed in seeds:
            for arm in experiment["arms"]:
                builder.evaluation(arm["evaluation"], seed)
    return list(builder.jobs.values())


def missing(jobs):
    """Those that are not done, and what needs them."""
    found = []
    names = set()
    for job in jobs:
        if not job.is_done() or names.intersection(job.needs):
            found.append(job)
            names.add(job.name)
    return found


class _Running:
    def __init__(self, job):
        job.folder.parent.mkdir(parents=True, exist_ok=True)
        self.job = job
        self.begin = time.monotonic()
        with open(job.log(), "wb") as log:
            self.process = subprocess.Popen(job.command(), stdout=log, stderr=subprocess.STDOUT,
                                            env={**os.environ, "OMP_NUM_THREADS": "1"})


def _end(running, say):
    """The failure of a program that has ended; nothing if it did its work."""
    seconds = time.monotonic() - running.begin
    status = running.process.returncode
    if status == 0:
        running.job.finish(seconds)
        say(f"{running.job.name}: done in {seconds:.0f} s")
        return None
    say(f"{running.job.name}: FAILED with status {status}")
    return {"name": running.job.name, "reason": f"status {status}: {running.job.last_words()}",
            "log": str(running.job.log())}


def _start(job, say):
    """The running program, or the failure that keeps it from running."""
    reason = job.conflict()
    if not reason:
        say(f"{job.name}: started")
        try:
            return _Running(job), None
        except OSError as error:
            reason = str(error)
    say(f"{job.name}: FAILED, not started")
    return None, {"name": job.name, "reason": reason, "log": ""}


def _interrupt(_signal, _frame):
    raise KeyboardInterrupt


def lock(folder):
    """Keeps other calls from the folder for as long as this program lives."""
    folder.mkdir(parents=True, exist_ok=True)
    file = open(folder / "lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"another call works in '{folder}'; wait for it, or name another --folder")
    return file


def run(jobs, num_at_once):
    """Runs what is not done. Returns failures: [{"name", "reason", "log"}]. SIGINT and SIGTERM end all programs."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    waiting = missing(jobs)
    total, running, failures, ended = len(waiting), [], {}, set()
    print(f"experiments: {len(jobs) - total} of {len(jobs)} steps are done already", flush=True)

    def say(text):
        print(f"[{len(ended)}/{total}] {text}", flush=True)

    def fail(failure):
        if failure is not None:
            ended.add(failure["name"])
            failures[failure["name"]] = failure

    try:
        while waiting or running:
            for job in list(waiting):
                lacking = [need for need in job.needs if need in failures]
                is_blocked = any(need in (other.name for other in waiting + [one.job for one in running])
                                 for need in job.needs)
                if lacking:
                    waiting.remove(job)
                    fail({"name": job.name, "reason": f"not run, because {lacking[0]} failed", "log": ""})
                elif not is_blocked and len(running) < num_at_once:
                    waiting.remove(job)
                    program, failure = _start(job, say)
                    fail(failure)
                    if program is not None:
                        running.append(program)
            for program in list(running):
                if program.process.poll() is not None:
                    running.remove(program)
                    ended.add(program.job.name)
                    fail(_end(program, say))
            time.sleep(0.05)
    except KeyboardInterrupt:
        for program in running:
            program.process.send_signal(signal.SIGTERM)
        for program in running:
            program.process.wait()
        sys.exit("stopped; the same command goes on from here")
    return list(failures.values())
