"""Makes a bare git repository of many files and commits, quickly and always the same: a fast-import stream, then one
repack as a hosting server would have done it. Prints nothing."""

import argparse
import os
import random
import shutil
import subprocess
import sys

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}
# The whole context is wanted, and as little as possible happens to it afterwards.
DOCKERFILE = b"""FROM scratch AS all
COPY . /context/
FROM scratch
COPY --from=all /context/Dockerfile /
"""
WORDS = [f"word{number:03d}" for number in range(400)]


def file_path(number: int) -> str:
    """Twenty files a directory, directories three deep."""
    return f"src/part{number % 25:02d}/module{number % 1000:03d}/file{number:05d}.txt"


# Shares of files up to a size in bytes, measured over the 11,759 files of the Go 1.19 source tree; its largest 1 % are left
# out. Half of all files are tiny, the mean is 5 KB.
SIZES = [
    (0.00, 60), (0.05, 187), (0.10, 238), (0.20, 338), (0.30, 456), (0.40, 663), (0.50, 1054), (0.60, 1795), (0.70, 3095),
    (0.80, 6318), (0.90, 13944), (0.95, 28372), (0.98, 58453), (0.99, 96808),
]  # fmt: skip


def draw_size(randomness: random.Random) -> int:
    """A size of that distribution, linear between its points."""
    share = randomness.random() * SIZES[-1][0]
    for (low, smallest), (high, largest) in zip(SIZES, SIZES[1:]):
        if share <= high:
            return int(smallest + (largest - smallest) * (share - low) / (high - low))
    return SIZES[-1][1]


def draw_small_size(randomness: random.Random) -> int:
    """Anything up to 4 KB alike: 2 KB on average, and nothing large."""
    return randomness.randrange(60, 4096)


def content(randomness: random.Random, size: int) -> bytes:
    """Text like source code, which compresses to about a third."""
    words = randomness.choices(WORDS, k=size // 8 + 1)
    lines = (" ".join(words[i : i + 7]) for i in range(0, len(words), 7))
    return ("\n".join(lines) + "\n").encode()


def write_commit(stream, number: int, changes: list[tuple[str, bytes]]) -> None:
    """One commit on main that sets these files."""
    stream.write(b"commit refs/heads/main\n")
    stream.write(b"committer Load <load@example.com> %d +0000\n" % (1_700_000_000 + number))
    message = b"commit %d" % number
    stream.write(b"data %d\n%s\n" % (len(message), message))
    for path, data in changes:
        stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))


def write_history(stream, files: int, commits: int, sizes: str) -> None:
    """All files in the first commit, two changed files in each of the others."""
    randomness = random.Random(4711)
    draw = draw_size if sizes == "source" else draw_small_size
    contents = [content(randomness, draw(randomness)) for _ in range(files)]
    write_commit(stream, 0, [("Dockerfile", DOCKERFILE)] + [(file_path(i), data) for i, data in enumerate(contents)])
    for number in range(1, commits):
        changes = []
        for _ in range(2):
            index = randomness.randrange(files)
            contents[index] += b"changed in commit %d\n" % number
            changes.append((file_path(index), contents[index]))
        write_commit(stream, number, changes)


def generate(path: str, files: int, commits: int, sizes: str) -> None:
    """Makes the repository at `path`, which appears only when it is complete."""
    temporary = f"{path}.{os.getpid()}"
    git = ["git", "-C", temporary]
    os.makedirs(temporary)
    try:
        subprocess.run([*git, "init", "-q", "--bare", "-b", "main"], env=ENVIRONMENT, check=True)
        with subprocess.Popen(
            [*git, "fast-import", "--quiet"], env=ENVIRONMENT, stdin=subprocess.PIPE
        ) as importer:
            write_history(importer.stdin, files, commits, sizes)
        if importer.returncode != 0:
            sys.exit("git fast-import failed")
        subprocess.run([*git, "repack", "-q", "-a", "-d", "-b"], env=ENVIRONMENT, check=True)
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="where the repository is to be; an existing one is kept")
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--commits", type=int, required=True)
    parser.add_argument("--sizes", choices=["source", "small"], default="source", help="as in a source tree, or all small")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.path):
        generate(arguments.path, arguments.files, arguments.commits, arguments.sizes)


if __name__ == "__main__":
    main()
