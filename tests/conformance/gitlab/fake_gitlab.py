"""A stateful GitLab for tests: projects, groups, hooks and commit statuses as its REST API documents them."""

import http.server
import json
import re
import threading
import urllib.parse

TOKEN = "conformance-token"
COMMIT = "0123456789012345678901234567890123456789"
BEFORE = "a" * 40
_ACTIVE = {"created": 0, "pending": 1, "running": 2}


class FakeGitLab:
    """Serves on a port of 127.0.0.1 until stop()."""

    def __init__(self):
        self.projects = [
            {"id": number, "path_with_namespace": path, "name": path.split("/")[-1], "default_branch": "main",
             "visibility": "private", "archived": False, "web_url": f"https://gitlab.example.com/{path}"}
            for number, path in enumerate(["team/app", "team/sub/lib", "team/tool", "other/app-two"], 1)]
        self.hooks = {}
        self.tokens = {}
        self.statuses = []
        self.limited = 0
        self.compare_timeout = False
        self._next = 10
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                fake.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(request.path)
        values = {key: texts[0] for key, texts in urllib.parse.parse_qs(url.query).items()}
        if body:
            values.update(json.loads(body))
        status, answer, headers = self.answer(request, url.path, values)
        text = b"" if status == 204 else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)

    def answer(self, request, path, values):
        """Returns (status, JSON, headers)."""
        if request.headers.get("PRIVATE-TOKEN") != TOKEN:
            return 401, {"message": "401 Unauthorized"}, {}
        if self.limited > 0:
            self.limited -= 1
            return 429, {"message": "Too Many Requests"}, {"Retry-After": "7"}
        path = path.removeprefix("/api/v4")
        if path == "/user":
            return 200, {"id": 1, "username": "octocat"}, {}
        if path == "/personal_access_tokens/self":
            return 200, {"id": 1, "scopes": ["api"], "expires_at": "2030-01-31", "active": True}, {}
        if path == "/projects":
            return self.page([project for project in self.projects if values.get("search", "") in project["name"]], values)
        if path == "/groups":
            return self.page([{"id": 1, "full_path": "team", "name": "The team"}], values)
        match = re.fullmatch(r"/groups/([^/]+)/projects", path)
        if match:
            below = urllib.parse.unquote(match[1]) + "/"
            return self.page([project for project in self.projects if project["path_with_namespace"].startswith(below)], values)
        match = re.fullmatch(r"/projects/([^/]+)(/.*)", path)
        project = match and self.project(urllib.parse.unquote(match[1]))
        if not project:
            return 404, {"message": "404 Project Not Found"}, {}
        return self.of_project(request.command, project, match[2], values)

    def project(self, key):
        return next((project for project in self.projects if key in (str(project["id"]), project["path_with_namespace"])), None)

    @staticmethod
    def page(items, values):
        size, number = int(values.get("per_page", 20)), int(values.get("page", 1))
        more = len(items) > size * number
        headers = {"X-Page": str(number), "X-Per-Page": str(size), "X-Next-Page": str(number + 1) if more else "",
                   "X-Total": str(len(items)), "X-Total-Pages": str(-(-len(items) // size))}
        if more:
            query = urllib.parse.urlencode({**values, "page": number + 1, "per_page": size})
            headers["Link"] = f'<http://gitlab.example.com/api/v4/x?{query}>; rel="next"'
        return 200, items[size * (number - 1):size * number], headers

    def of_project(self, method, project, rest, values):
        match = re.fullmatch(r"/hooks(?:/(\d+))?", rest)
        if match:
            return self.of_hooks(method, project, match[1], values)
        match = re.fullmatch(r"/statuses/([0-9a-f]+)", rest)
        if match and method == "POST":
            return self.set_status(project, match[1], values)
        match = re.fullmatch(r"/repository/commits/([0-9a-f]+)/statuses", rest)
        if match:
            return self.page([status for status in self.statuses if status["project"] == project["id"] and status["sha"] == match[1]], values)
        if rest == "/repository/compare":
            return self.compare(values)
        return 404, {"error": "404 Not Found"}, {}

    def compare(self, values):
        for key in ("from", "to"):
            if key not in values:
                return 400, {"error": f"{key} is missing"}, {}
            if values[key] not in (BEFORE, COMMIT):
                return 404, {"message": "404 Ref Not Found"}, {}
        # What the side that was left behind had changed shows in a straight comparison only.
        names = [("src/old.c", "src/new.c"), ("README", "README")] + ([("theirs", "theirs")] if values.get("straight") == "true" else [])
        return 200, {"commit": {"id": values["to"]}, "commits": [], "compare_timeout": self.compare_timeout, "compare_same_ref": False,
                     "diffs": [{"old_path": old, "new_path": new, "a_mode": "100644", "b_mode": "100644", "new_file": False,
                                "renamed_file": old != new, "deleted_file": False, "diff": ""} for old, new in names]}, {}

    def of_hooks(self, method, project, number, values):
        mine = self.hooks.setdefault(project["id"], {})
        if number is None and method == "GET":
            return self.page(list(mine.values()), values)
        if number is None:
            if not str(values.get("url", "")).startswith("http"):
                return 422, {"error": "Invalid url given"}, {}
            self._next += 1
            number = str(self._next)
            mine[number] = {"id": int(number), "project_id": project["id"], "push_events": True, "tag_push_events": False,
                            "enable_ssl_verification": True, "push_events_branch_filter": ""}
            return 201, self.change_hook(mine[number], values), {}
        if number not in mine:
            return 404, {"message": "404 Not found"}, {}
        if method == "DELETE":
            del mine[number]
            return 204, None, {}
        return 200, self.change_hook(mine[number], values) if method == "PUT" else mine[number], {}

    def change_hook(self, hook, values):
        self.tokens[hook["id"]] = values.get("token", self.tokens.get(hook["id"]))
        hook.update({key: value for key, value in values.items() if key in hook or key == "url"})
        return hook

    def set_status(self, project, sha, values):
        if sha != COMMIT:
            return 404, {"message": "404 Commit Not Found"}, {}
        state, name = values.get("state"), values.get("name", "default")
        if state not in ("pending", "running", "success", "failed", "canceled", "skipped"):
            return 400, {"error": "state does not have a valid value"}, {}
        for key in ("ref", "target_url", "description"):
            if len(values.get(key, "")) > 255:
                return 400, {"message": {key: ["is too long (maximum is 255 characters)"]}}, {}
        current = next((status for status in reversed(self.statuses) if status["project"] == project["id"] and
                        status["name"] == name and status["status"] in _ACTIVE), None)
        if current is None:
            current = {"id": len(self.statuses) + 1, "sha": sha, "project": project["id"], "name": name, "status": "created"}
            self.statuses.append(current)
        if state in _ACTIVE and _ACTIVE[state] <= _ACTIVE[current["status"]]:
            event = "enqueue" if state == "pending" else "run"
            return 400, {"message": f"Cannot transition status via :{event} from :{current['status']} "
                                    f'(Reason(s): Status cannot transition via "{event}")'}, {}
        current.update(status=state, ref=values.get("ref"), target_url=values.get("target_url"), description=values.get("description"))
        return 201, current, {}
