"""Serves this machine's Bazel disk cache over HTTP, to read only, as a remote cache for a Bazel inside a build."""

import http.server
import os
import pwd
import re
import shutil
import threading

from harness import processes


def disk_cache():
    """The disk cache that Bazel uses here."""
    found = None
    for name in (".bazelrc", ".bazelrc.local"):
        path = os.path.join(processes.ROOT, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found = (re.findall(r"^build --disk_cache=(\S+)", file.read(), re.MULTILINE) or [found])[-1]
    # Bazel takes the home directory from the accounts, whatever HOME says.
    return re.sub(r"^~(?=/)", pwd.getpwuid(os.getuid()).pw_dir, found)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        match = re.fullmatch(r"/(ac|cas)/([0-9a-f]{64})", self.path)
        path = match and os.path.join(self.server.directory, match.group(1), match.group(2)[:2], match.group(2))
        try:
            with open(path or "", "rb") as file:
                self.server.hits += 1
                self.send_response(200)
                self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
                self.end_headers()
                shutil.copyfileobj(file, self.wfile)
        except FileNotFoundError:
            self.server.misses += 1
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


class CompileCache:
    """Serves on an address of this machine until it is closed."""

    def __init__(self, address):
        self._server = http.server.ThreadingHTTPServer((address, 0), _Handler)
        self._server.daemon_threads = True
        self._server.directory = disk_cache()
        self._server.hits = self._server.misses = 0
        self.url = f"http://{address}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def hits(self):
        return self._server.hits

    @property
    def misses(self):
        return self._server.misses

    def close(self):
        self._server.shutdown()
        self._server.server_close()
