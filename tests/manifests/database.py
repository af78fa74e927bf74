"""A private PostgreSQL that wants passwords, as the one of a cluster does."""

import os
import pwd
import shutil
import subprocess

from harness import processes

PROGRAMS = "/usr/lib/postgresql/15/bin"
USER = "postgres"


class Database:
    """Listens on a socket only; `host` and `port` are what a connection string names."""

    def __init__(self, admin_password):
        self.directory = processes.temporary_directory("postgres")
        shutil.chown(self.directory, USER)
        self.host, self.port = self.directory, 5432
        password = os.path.join(self.directory, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write(admin_password)
        shutil.chown(password, USER)
        data = os.path.join(self.directory, "data")
        processes.run(self._as_user("initdb", "-D", data, "-A", "scram-sha-256", f"--pwfile={password}", "-U", "postgres", "--no-sync"))
        self.program = processes.Program(
            self._as_user("postgres", "-D", data, "-k", self.directory, "-c", "listen_addresses=", "-c", "fsync=off"),
            os.path.join(self.directory, "log"))
        self.program.wait_ready(self._answers, 30, "PostgreSQL takes connections")

    def _answers(self):
        # The socket is there before the server takes connections.
        return subprocess.run(self._as_user("pg_isready", "-q", "-h", self.host), check=False).returncode == 0

    def _as_user(self, program, *arguments):
        user = pwd.getpwnam(USER)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=TERM",
                os.path.join(PROGRAMS, program), *arguments]

    def create(self, name, password):
        processes.run(["psql", "-q", "-h", self.host, "-U", "postgres", "-c", f"create database {name}", "postgres"],
                      env={"PATH": os.environ["PATH"], "PGPASSWORD": password})

    def close(self):
        self.program.stop()
        processes.remove_tree(self.directory)
