"""The one call of GitHub's and GitLab's APIs that a connection is tried with: who the token belongs to."""

import http.server
import json
import threading

ANSWERS = {
    "/api/v3/user": {"login": "octocat"},
    "/api/v4/user": {"username": "tanuki"},
    "/api/v4/personal_access_tokens/self": {"scopes": ["api"]},
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        answer = ANSWERS.get(self.path)
        body = json.dumps(answer or {}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


class ProviderApi:
    """Serves on 127.0.0.1 until it is closed."""

    def __init__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
