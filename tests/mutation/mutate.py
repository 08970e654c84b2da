"""Do the tests notice when one line of the engine is wrong?

Draws random one-line mutants ("<" becomes "<=", a call is removed …), builds each in a clone of the
last commit, runs the tests, and prints which test noticed. A surviving mutant is an equivalent
program or shows a missing test. Takes up to five minutes per mutant; CI does not run it.

    python3 tests/mutation/mutate.py [--count 40] [--seed 1] [--only FILE:LINE …]
"""

import argparse
import json
import os
import random
import re
import resource
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build-mutation" / "tree"
SOURCES = ["engine/**/*.cc", "tools/line_alignment.cc", "tools/alignment_flags.cc",
           "tools/trace/data.cc", "tools/lines.cc"]
SUITES = ["engine", "tools"]  # in the order in which they run
# Patient, because the machine may be busy: a test takes too long if it takes this many times what it
# took without a mutant, and two minutes more.
PATIENCE = 10
SLOW_TEST_SECONDS = 5  # slower ones run last
MAX_MEMORY = 12 << 30

# A pattern in a line, and its replacement in the mutant.
OPERATORS = [
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "), (r" \|\| ", " && "),
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r" / ", " * "),
    (r" \+= ", " -= "), (r"\bstd::max\b", "std::min"), (r"\bstd::min\b", "std::max"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"if \(!", "if ("),
    (r"\bcontinue;", "break;"), (r"\b0\b", "1"), (r"\b1\b", "2"),
    (r"^( +)[\w.>-]+\(.*\);$", r"\1;"),  # removes a call
]
NO_CODE = re.compile(r"^\s*(//|#|static_assert|assert|namespace|using|$)|HWY_|absl::StrCat")

# Mutants that are the same program: the line, its replacement, and why. Further ones are drawn for
# them.
EQUIVALENT = {
    ("engine/text/assemble.cc", "if (end <= done_) return;", "if (end < done_) return;"):
        "there is nothing to copy between done_ and itself",
    ("engine/search/greedy_state.cc",
     "const int hypotheses = request.options.temperature > 0 ? request.options.nbest : 1;",
     "const int hypotheses = request.options.temperature >= 0 ? request.options.nbest : 1;"):
        "options with nbest > 1 and neither a beam nor a temperature are rejected",
    ("engine/transformer/cache.cc",
     "if (reordered_.size() < parents.size()) reordered_.resize(parents.size());",
     "if (reordered_.size() <= parents.size()) reordered_.resize(parents.size());"):
        "resize to the same size does nothing",
    ("engine/text/prepare.cc", "int id = -1;  // -1: none", "int id = -2;  // -1: none"):
        "only its sign is read",
}


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    before: str
    after: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.before.strip()}  →  {self.after.strip()}"


def mutants_of(path):
    """All one-line mutants of a file of the copy."""
    for number, line in enumerate((COPY / path).read_text().splitlines(), 1):
        if NO_CODE.search(line):
            continue
        code = line.split("  // ")[0]
        for pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, code):
                after = line[: match.start()] + match.expand(replacement) + line[match.end() :]
                yield Mutant(path, number, line, after)


def draw(seed):
    """Mutants in random order, at most one per line; each line is equally likely."""
    by_line = {}
    for pattern in SOURCES:
        for file in sorted(COPY.glob(pattern)):
            for mutant in mutants_of(str(file.relative_to(COPY))):
                by_line.setdefault((mutant.path, mutant.line), []).append(mutant)
    rng = random.Random(seed)
    lines = sorted(by_line)
    rng.shuffle(lines)
    for line in lines:
        yield rng.choice(by_line[line])


def git(*arguments):
    subprocess.run(["git", "-C", COPY, *arguments], check=True)


def copy_tree():
    """Checks out the last commit; git touches only files that differ, so little is built again."""
    if not (COPY / ".git").exists():
        subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", ROOT, COPY], check=True)
    git("fetch", "--quiet", ROOT, "HEAD")
    git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    configure = ["cmake", "-S", COPY, "-B", COPY / "build", "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=Release"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)


def build(suite):
    command = ["cmake", "--build", COPY / "build", "--target", f"{suite}_tests"]
    return subprocess.run(command, capture_output=True).returncode == 0


def prepare_test():
    """Runs in the test's process. In the background, a shell has its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def run_tests(suite, only, seconds):
    """Runs the tests that match a filter and returns what failed first, or None. Keeps how long each
    test took in `seconds`, if it is not there yet."""
    if only == "":
        return None
    command = [f"build/tests/{suite}_tests", "--gtest_fail_fast", "--gtest_color=no",
               f"--gtest_filter={only}"]
    test = subprocess.Popen(command, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            start_new_session=True, preexec_fn=prepare_test)
    output, begin, name = b"", time.monotonic(), f"the start of {suite}_tests"
    try:
        while True:
            limit = PATIENCE * seconds.get(name, 60) + 120
            left = begin + limit - time.monotonic()
            if left <= 0:
                return f"{name}, which took over {limit:.0f} s"
            if not select.select([test.stdout], [], [], left)[0]:
                continue
            read = os.read(test.stdout.fileno(), 1 << 16)
            if not read:
                break
            *lines, output = (output + read).split(b"\n")
            for line in lines:
                if started := re.match(rb"\[ RUN      \] (\S+)", line):
                    begin, name = time.monotonic(), started.group(1).decode()
                elif re.match(rb"\[       OK \]", line):
                    seconds.setdefault(name, time.monotonic() - begin)
                elif re.match(rb"\[  FAILED  \]", line):
                    return name
        code = test.wait()
        return None if code == 0 else f"{name}, which ended with {code}"
    finally:
        try:
            os.killpg(test.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        test.wait()
        test.stdout.close()


def mirror(suite, path):
    """A filter for the tests of the test file that mirrors a source file; "": there is none."""
    files = COPY.glob(f"tests/{suite}/**/{Path(path).stem}_test.cc")
    names = {name for file in files
             for name in re.findall(r"^TEST(?:_[FP])?\((\w+)", file.read_text(), re.M)}
    return ":".join(f"{name}.*:*/{name}.*" for name in sorted(names))


def judge(mutant, seconds):
    """"not built", the name of the test that noticed, or None. What is most likely to notice, and
    what is fast, runs first."""
    file = COPY / mutant.path
    lines = file.read_text().split("\n")
    lines[mutant.line - 1] = mutant.after
    file.write_text("\n".join(lines))
    try:
        # The tests of the engine do not know the tools.
        for suite in SUITES if mutant.path.startswith("engine/") else ["tools"]:
            if not build(suite):
                return "not built"
            first = mirror(suite, mutant.path)
            slow = ":".join(test for test, taken in seconds.items() if taken > SLOW_TEST_SECONDS)
            for only in [first, f"-{first}:{slow}", slow]:
                if noticed := run_tests(suite, only, seconds):
                    return noticed
        return None
    finally:
        git("checkout", "--quiet", "--", mutant.path)


def seconds_without_mutant():
    """How long each test takes. All must pass; that is remembered for as long as HEAD is the same."""
    head = subprocess.run(["git", "-C", COPY, "rev-parse", "HEAD"], check=True, capture_output=True,
                          text=True).stdout.strip()
    file = COPY.parent / f"{head}.json"
    if file.exists():
        return json.loads(file.read_text())
    seconds = {}
    for suite in SUITES:
        if not build(suite):
            sys.exit("the tree does not build")
        if failing := run_tests(suite, "*", seconds):
            sys.exit(f"fails without a mutant: {failing}")
    file.write_text(json.dumps(seconds))
    return seconds


def equivalent(mutant):
    return EQUIVALENT.get((mutant.path, mutant.before.strip(), mutant.after.strip()))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="FILE:LINE",
                        help="only the mutants drawn for these lines")
    args = parser.parse_args()
    # So that the test in progress ends, too, and the mutant goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    copy_tree()
    seconds = seconds_without_mutant()

    noticed = survived = same = drawn = 0
    for mutant in draw(args.seed):
        if noticed + survived == args.count:
            break
        drawn += 1
        if args.only and f"{mutant.path}:{mutant.line}" not in args.only:
            continue
        if reason := equivalent(mutant):
            same += 1
            verdict = f"equivalent: {reason}"
        else:
            test = judge(mutant, seconds)
            if test == "not built":
                verdict = "not built"
            elif test:
                noticed += 1
                verdict = f"noticed by {test}"
            else:
                survived += 1
                verdict = "SURVIVED"
        print(f"{drawn:3} {verdict}\n    {mutant}", flush=True)
    print(f"{noticed} of {noticed + survived} mutants noticed; {same} more are equivalent")


if __name__ == "__main__":
    main()
