"""What Davit asks of GitHub and GitLab, checked by what others wrote: GitHub's own OpenAPI description in a validating server, and a
client of GitLab's API beside a stateful GitLab. Needs node and the driver: bazel build //tests/conformance:provider_driver.

Ends with `conformance-providers: N passed, N failed`. Arguments choose tests by parts of their names.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import suite  # noqa: E402

sys.exit(suite.run("conformance-providers", os.path.join(os.path.dirname(os.path.abspath(__file__)), "providers")))
