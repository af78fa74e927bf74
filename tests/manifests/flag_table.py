"""The table of every program's flags in deploy/README.md, made from what the programs' --help says.

Usage: python3 tests/manifests/flag_table.py --write     writes it anew
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import processes  # pylint: disable=wrong-import-position

README = os.path.join(processes.ROOT, "deploy", "README.md")
BEGIN, END = "<!-- flags: begin, made by tests/manifests/flag_table.py --write -->\n", "<!-- flags: end -->\n"
PROGRAMS = {
    "token-registry": "services/token_registry/token-registry",
    "rule-engine": "services/rule_engine/rule-engine",
    "scheduler": "services/scheduler/scheduler",
    "webhook-gateway": "services/webhook_gateway/webhook-gateway",
    "console": "services/console/davit-console",
    "builder-agent": "services/builder_agent/builder-agent",
    "standalone": "services/standalone/davit-standalone",
}
DATABASE = ("token-registry", "rule-engine", "scheduler")


def help_of(program):
    result = subprocess.run([processes.binary(PROGRAMS[program]), "--help"], stdout=subprocess.PIPE, text=True, check=False,
                            env={"PATH": "/usr/bin:/bin"})
    return result.stdout


def flags_of(program):
    """{flag: (default, meaning)} as --help prints them."""
    text = help_of(program)
    listens = re.search(r"Listens on (\S+) unless --listen", text).group(1)
    flags = {}
    for entry in re.split(r"\n    --", "\n".join(line for line in text.splitlines() if not line.startswith("  Flags from")))[1:]:
        words = " ".join(entry.split("\n\n")[0].split())
        name, meaning, default = re.match(r"(\w+) \((.*)\); default: (.*?);", words).groups()
        flags[name] = (listens if name == "listen" else default.strip('"'), meaning)
    return flags


def programs_text(programs):
    if programs == list(PROGRAMS):
        return "all"
    return ", ".join("those with a database" if name == DATABASE[0] and set(DATABASE) <= set(programs) else name for name in programs
                     if name not in DATABASE[1:] or not set(DATABASE) <= set(programs))


def table():
    rows = {}
    for program in PROGRAMS:
        for name, (default, meaning) in flags_of(program).items():
            rows.setdefault((name, meaning), {}).setdefault(default, []).append(program)
    lines = ["| Flag | Programs | Default | Meaning |", "| --- | --- | --- | --- |"]
    for (name, meaning), defaults in sorted(rows.items()):
        programs = [program for program in PROGRAMS if any(program in some for some in defaults.values())]
        value = "; ".join((f"`{default}`" if default else "none") + (f" {programs_text(some)}" if len(defaults) > 1 else "")
                          for default, some in defaults.items() if default or len(defaults) > 1)
        lines.append(f"| `--{name}` | {programs_text(programs)} | {value} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def main():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    with open(README, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table() + END + rest.split(END)[1])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    main()
