"""Who may ask the console for what, over HTTP against the real server: without a session, from a foreign origin, without the CSRF token."""

import http.client
import json
import unittest

from harness import world

CALL = "/api/v1/scheduler/ListBuilds"


class SecurityTest(world.WorldCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.host = cls.world.standalone.console_listen
        cls.origin = f"http://{cls.host}"
        cls.token = cls.davit("tokens", "create", "--name", cls.__name__, "--role", "developer")["token"]

    def _send(self, method, path, body=None, **headers):
        """Returns (status, answer, headers). An underscore in a header's name stands for a hyphen; None leaves a header out."""
        sent = {"Host": self.host, "Origin": self.origin, "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True)
            data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(data or b"")))
            connection.endheaders(data)
            response = connection.getresponse()
            text = response.read().decode()
            try:
                return response.status, json.loads(text), response.headers
            except ValueError:
                return response.status, text, response.headers
        finally:
            connection.close()

    def _sign_in(self):
        """Returns the headers of a session: its cookie and its CSRF token."""
        status, answer, headers = self._send("POST", "/api/v1/session", {"token": self.token})
        self.assertEqual(status, 200, answer)
        return {"Cookie": headers["Set-Cookie"].split(";")[0], "X_CSRF_Token": answer["csrf_token"]}

    def test_without_a_session_nothing_is_told(self):
        build = "/api/v1/builds/bld_00000000000000000000000000"
        for method, path in (("POST", CALL), ("POST", "/api/v1/rules/DeleteRule"), ("POST", "/api/v1/uploads?format=tar"), ("GET", "/api/v1/builds/events"),
                             ("GET", f"{build}/log"), ("GET", f"{build}/events"), ("DELETE", "/api/v1/session")):
            for cookie in (None, "davit_session=", "davit_session=" + "A" * 43):
                with self.subTest(f"{method} {path} {cookie}"):
                    status, answer, _ = self._send(method, path, {} if method == "POST" else None, Cookie=cookie, X_CSRF_Token="x" * 43)
                    self.assertEqual((status, answer["error"]["code"]), (401, "UNAUTHENTICATED"))
        self.assertEqual(self._send("GET", "/api/v1/session")[:2], (200, {}))

    def test_a_missing_or_wrong_csrf_token_is_refused(self):
        session = self._sign_in()
        self.assertEqual(self._send("POST", CALL, {}, **session)[0], 200)
        other = self._sign_in()
        for wrong in (None, "", "x", other["X_CSRF_Token"]):
            with self.subTest(wrong):
                status, answer, _ = self._send("POST", CALL, {}, Cookie=session["Cookie"], X_CSRF_Token=wrong)
                self.assertEqual((status, answer["error"]["message"]), (403, "CSRF token missing or wrong"))
        self.assertEqual(self._send("DELETE", "/api/v1/session", Cookie=session["Cookie"])[0], 403)
        self.assertEqual(self._send("POST", "/api/v1/uploads?format=dockerfile&file_name=a", b"FROM x\n", Cookie=session["Cookie"])[0], 403)

    def test_a_foreign_origin_is_refused_whatever_it_carries(self):
        session = self._sign_in()
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": f"https://{self.host}"}, {"Origin": f"http://{self.host}.evil.example"},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": None}):
            for path, body in ((CALL, {}), ("/api/v1/session", {"token": self.token})):
                with self.subTest(f"{headers} {path}"):
                    status, answer, answered = self._send("POST", path, body, **{**session, **headers})
                    self.assertEqual((status, answer["error"]["code"]), (403, "PERMISSION_DENIED"))
                    self.assertNotIn("Set-Cookie", answered)
        # Reading, too; also under a name that somebody made resolve to this address.
        self.assertEqual(self._send("GET", "/api/v1/session", Cookie=session["Cookie"], Sec_Fetch_Site="cross-site")[0], 403)
        self.assertEqual(self._send("GET", "/api/v1/session", Cookie=session["Cookie"], Host="evil.example", Origin=None)[0], 403)
        self.assertNotIn("Access-Control-Allow-Origin", self._send("OPTIONS", CALL, Origin="http://evil.example")[2])

    def test_only_json_is_a_call(self):
        """What a form on a foreign page can send is refused by its type alone."""
        session = self._sign_in()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            self.assertIn(self._send("POST", CALL, b"{}", **session, Content_Type=kind)[0], (400, 403, 415))

    def test_methods_for_services_are_not_there(self):
        session = self._sign_in()
        for name in ("registry/GetWebhookSecret", "registry/IssueBuildCredentials", "registry/GrantBuildCredentials", "rules/IngestEvent", "identity/IntrospectToken",
                     "scheduler/AppendLog", "scheduler/../rules/ListRules"):
            with self.subTest(name):
                self.assertEqual(self._send("POST", f"/api/v1/{name}", {}, **session)[0], 404)

    def test_a_session_is_only_as_mighty_as_its_token(self):
        session = self._sign_in()
        status, answer, _ = self._send("POST", "/api/v1/identity/CreateApiToken", {"display_name": "x", "role": "ROLE_ADMIN"}, **session)
        self.assertEqual((status, answer["error"]["code"]), (403, "PERMISSION_DENIED"))
        status, answer, _ = self._send("POST", CALL, {"project": "somebody-elses"}, **session)
        self.assertIn(status, (403, 404), answer)

    def test_the_cookie_and_every_answer_are_guarded(self):
        status, _, headers = self._send("POST", "/api/v1/session", {"token": self.token})
        self.assertEqual(status, 200)
        cookie = headers["Set-Cookie"]
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        self.assertNotIn(self.token, cookie)
        for method, path in (("GET", "/"), ("GET", "/builds"), ("GET", "/nowhere.js"), ("GET", "/api/v1/nowhere"), ("POST", CALL), ("PUT", "/")):
            with self.subTest(f"{method} {path}"):
                policy = self._send(method, path)[2]
                self.assertIn("default-src 'none'", policy["Content-Security-Policy"])
                self.assertNotIn("unsafe", policy["Content-Security-Policy"])
                self.assertIn("frame-ancestors 'none'", policy["Content-Security-Policy"])
                self.assertEqual(policy["X-Content-Type-Options"], "nosniff")
                self.assertEqual(policy["Referrer-Policy"], "no-referrer")

    def test_after_signing_out_the_cookie_is_void(self):
        session = self._sign_in()
        self.assertEqual(self._send("DELETE", "/api/v1/session", **session)[0], 200)
        self.assertEqual(self._send("POST", CALL, {}, **session)[0], 401)

    def test_no_token_is_in_the_log(self):
        self._sign_in()
        self.assertNotIn(self.token, self.world.standalone.program.output())


if __name__ == "__main__":
    unittest.main()
