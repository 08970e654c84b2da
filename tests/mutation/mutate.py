"""Do the tests notice when one line of the engine is wrong?

Draws random one-line mutants ("<" becomes "<=", a call is removed …), builds each in a copy of the
committed tree, runs the tests, and prints which test noticed. A surviving mutant is an equivalent
program or shows a missing test. Takes about a minute per mutant; CI does not run it.

    python3 tests/mutation/mutate.py [--count 40] [--seed 1] [--only FILE:LINE]
"""

import argparse
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build-mutation" / "tree"
SOURCES = ["engine/**/*.cc", "tools/line_alignment.cc", "tools/alignment_flags.cc",
           "tools/trace/data.cc", "tools/lines.cc"]
SUITES = ["engine", "tools"]  # in the order in which they run
TEST_SECONDS = 900

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


def copy_tree():
    COPY.mkdir(parents=True, exist_ok=True)
    archive = subprocess.Popen(["git", "-C", ROOT, "archive", "HEAD"], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", COPY], stdin=archive.stdout, check=True)
    if archive.wait() != 0:
        sys.exit("git archive failed")
    configure = ["cmake", "-S", COPY, "-B", COPY / "build", "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-Wno-error"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)


def build():
    targets = [f"{suite}_tests" for suite in SUITES]
    command = ["cmake", "--build", COPY / "build", "--target", *targets]
    return subprocess.run(command, capture_output=True).returncode == 0


def run_tests():
    """The name of the first test that fails, or None."""
    for suite in SUITES:
        command = [f"build/tests/{suite}_tests", "--gtest_fail_fast", "--gtest_brief=1"]
        try:
            run = subprocess.run(command, cwd=COPY, capture_output=True, text=True,
                                 errors="replace", timeout=TEST_SECONDS,
                                 env={**os.environ, "GTEST_COLOR": "no"})
        except subprocess.TimeoutExpired:
            return f"{suite}: took over {TEST_SECONDS} s"
        if run.returncode != 0:
            failed = re.search(r"\[  FAILED  \] (\S+)", run.stdout)
            return failed.group(1).rstrip(",") if failed else f"{suite}: ended by {run.returncode}"
    return None


def judge(mutant):
    """"not built", the name of the test that noticed, or None."""
    file = COPY / mutant.path
    original = file.read_text()
    lines = original.split("\n")
    lines[mutant.line - 1] = mutant.after
    file.write_text("\n".join(lines))
    try:
        return run_tests() if build() else "not built"
    finally:
        file.write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="FILE:LINE: only the mutant drawn for that line")
    args = parser.parse_args()
    copy_tree()
    if not build():
        sys.exit("the tree does not build")
    failing = run_tests()
    if failing:
        sys.exit(f"{failing} fails without a mutant")

    survivors, judged = [], 0
    for mutant in draw(args.seed):
        if judged == args.count:
            break
        if args.only and args.only != f"{mutant.path}:{mutant.line}":
            continue
        verdict = judge(mutant)
        if verdict == "not built":
            continue
        judged += 1
        print(f"{judged:3} {'SURVIVED' if verdict is None else 'noticed by ' + verdict}\n    {mutant}",
              flush=True)
        if verdict is None:
            survivors.append(mutant)
    print(f"{judged - len(survivors)} of {judged} mutants noticed")


if __name__ == "__main__":
    main()
