"""The operator's guide says of every flag what the programs say."""

import os
import subprocess
import unittest

from harness import processes
from manifests import flag_table


class FlagsTest(unittest.TestCase):
    maxDiff = None

    def test_the_table_in_the_operator_s_guide_is_what_help_says(self):
        with open(flag_table.README, encoding="utf-8") as file:
            written = file.read().split(flag_table.BEGIN)[1].split(flag_table.END)[0]
        self.assertEqual(written, flag_table.table(), "write it anew: python3 tests/manifests/flag_table.py --write")

    def test_a_flag_has_one_meaning(self):
        meanings = {}
        for program in flag_table.PROGRAMS:
            for name, (_, meaning) in flag_table.flags_of(program).items():
                meanings.setdefault(name, {}).setdefault(meaning, []).append(program)
        # Two engines of davit-standalone's can be left out, and are made by it then.
        self.assertEqual({name for name, some in meanings.items() if len(some) > 1}, {"buildkit", "database"})

    def test_every_program_takes_a_flag_from_the_command_line_the_environment_and_a_file(self):
        directory = processes.temporary_directory("flags")
        self.addCleanup(processes.remove_tree, directory)
        config = os.path.join(directory, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("drain_timeout: 25h\nlog_levle: info\n")
        for program in flag_table.PROGRAMS:
            for flags, variables, expected in (
                    (["--drain-timeout=25h"], {}, "--drain_timeout: is not from 0s to 24h"),
                    ([], {"DAVIT_DRAIN_TIMEOUT": "25h"}, "--drain_timeout: is not from 0s to 24h"),
                    (["--drain_timeout=1s"], {"DAVIT_DRAIN_TIMEOUT": "25h"}, None),
                    (["--drian_timeout=1s"], {}, "unknown flag --drian_timeout; did you mean --drain_timeout?"),
                    ([], {"DAVIT_DRAIN_TIMEUOT": "1s"}, "did you mean DAVIT_DRAIN_TIMEOUT?"),
                    ([f"--config_file={config}"], {}, f"{config}:2: unknown key \"log_levle\"; did you mean log_level?")):
                with self.subTest(program=program, flags=flags, variables=variables):
                    result = subprocess.run([processes.binary(flag_table.PROGRAMS[program]), "--check-config", *flags], check=False, text=True,
                                            env={"PATH": "/usr/bin:/bin", **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                    if expected is None:
                        self.assertNotIn("drain_timeout", result.stdout)
                    else:
                        self.assertEqual(result.returncode, 1)
                        self.assertIn(expected, result.stdout)
