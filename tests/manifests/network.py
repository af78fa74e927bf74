"""What the NetworkPolicies let through, as arrows (from, to, "TCP/port"), and what the architecture says they should."""

from manifests.rendering import matches

# services/README.md's picture. The outside is named in angle brackets.
SERVICES = {
    ("webhook-gateway", "token-registry", "TCP/7081"),  # Webhooks' secrets.
    ("webhook-gateway", "rule-engine", "TCP/7082"),  # IngestEvent.
    ("rule-engine", "token-registry", "TCP/7081"),  # Repositories, refs, tokens' owners.
    ("rule-engine", "scheduler", "TCP/7083"),  # CreateBuild.
    ("scheduler", "token-registry", "TCP/7081"),  # Grants, commit statuses.
    ("builder-agent", "scheduler", "TCP/7083"),  # Synchronize, AppendLog.
    ("builder-agent", "token-registry", "TCP/7081"),  # One build's credentials.
    ("console", "token-registry", "TCP/7081"),
    ("console", "rule-engine", "TCP/7082"),
    ("console", "scheduler", "TCP/7083"),
    ("<ingress>", "webhook-gateway", "TCP/7085"),
    ("<ingress>", "console", "TCP/7086"),
    ("token-registry", "<world>", "TCP/443"),  # Providers, registries' credentials.
    ("scheduler", "<world>", "TCP/443"),  # Tags.
    ("builder-agent", "<world>", "TCP/443"),  # Git, registries, RUN steps.
    ("builder-agent", "<world>", "TCP/80"),  # RUN steps.
}
WATCHED = ("token-registry", "rule-engine", "scheduler", "webhook-gateway", "console", "builder-agent")
DATABASE_CLIENTS = ("token-registry", "rule-engine", "scheduler", "migrate-token-registry", "migrate-rule-engine", "migrate-scheduler")
NAMED = {(name, "<dns>", f"{protocol}/53") for name in WATCHED + DATABASE_CLIENTS for protocol in ("UDP", "TCP")}
METRICS = {("<prometheus>", name, "TCP/9464") for name in WATCHED}

EXPECTED = {
    "dev": SERVICES | NAMED | METRICS | {(name, "postgres", "TCP/5432") for name in DATABASE_CLIENTS} | {
        ("token-registry", "registry", "TCP/5000"), ("scheduler", "registry", "TCP/5000"), ("builder-agent", "registry", "TCP/5000")},
    "production": SERVICES | NAMED | METRICS | {(name, "<database>", "TCP/5432") for name in DATABASE_CLIENTS},
}
EXPECTED["production+keda"] = EXPECTED["production"]

# Everything that is no public address: <world> must leave it out.
PRIVATE = {"0.0.0.0/0": {"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"},
           "::/0": {"fc00::/7", "fe80::/10"}}
OUTSIDE = {"ingress-nginx": "<ingress>", "monitoring": "<prometheus>"}


class _Peers:
    """One direction of the policies that select a workload: whom they name."""

    def __init__(self, rendered, workload, direction):
        self.arrows = set()  # (peer, "TCP/port")
        self.covered = False
        for policy in rendered.of("NetworkPolicy"):
            spec = policy["spec"]
            if policy["metadata"]["namespace"] != workload.namespace or not matches(spec["podSelector"], workload.labels):
                continue
            self.covered |= direction.capitalize() in spec["policyTypes"]
            for rule in spec.get(direction, []):
                self._add(rendered, workload, rule, "from" if direction == "ingress" else "to")

    def _add(self, rendered, workload, rule, word):
        if not rule.get(word) or not rule.get("ports"):
            raise AssertionError(f"{workload}: a rule without peers or ports allows everything")
        ports = [f"{port['protocol']}/{port['port']}" for port in rule["ports"]]
        for peer in rule[word]:
            for name in _names(rendered, workload, peer):
                self.arrows |= {(name, port) for port in ports}


def _names(rendered, workload, peer):
    """What a peer of a rule stands for: workloads, or something outside."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        if PRIVATE.get(block["cidr"]) != set(block.get("except", [])):
            raise AssertionError(f"{workload}: {block} is not the world without private addresses")
        return ["<world>"]
    if "namespaceSelector" not in peer:
        if peer["podSelector"].get("matchLabels") == {"cnpg.io/cluster": "davit-db"}:
            return ["<database>"]
        return _selected(rendered, workload, [workload.namespace], peer["podSelector"])
    ours = {item["metadata"]["namespace"] for item in rendered.objects if "namespace" in item["metadata"]}
    selected = [name for name in ours if matches(peer["namespaceSelector"], rendered.namespace_labels(name))]
    if selected:
        return _selected(rendered, workload, selected, peer.get("podSelector", {}))
    if peer["namespaceSelector"].get("matchLabels") == {"kubernetes.io/metadata.name": "kube-system"}:
        if peer.get("podSelector", {}).get("matchLabels") == {"k8s-app": "kube-dns"}:
            return ["<dns>"]
    name = OUTSIDE.get(peer["namespaceSelector"].get("matchLabels", {}).get("kubernetes.io/metadata.name"))
    if name is None or "podSelector" in peer:
        raise AssertionError(f"{workload}: {peer} selects nobody that is known")
    return [name]


def _selected(rendered, workload, namespaces, selector):
    found = [other.name for namespace in namespaces for other in rendered.select(namespace, selector)]
    if not found:
        raise AssertionError(f"{rendered.name}: {workload}: {selector} selects no pod")
    return found


def arrows(rendered):
    """All arrows that are open at both ends; fails for one that only one end allows and for a workload that nothing confines."""
    outgoing, incoming = set(), set()
    for workload in rendered.workloads:
        for direction, into in (("egress", outgoing), ("ingress", incoming)):
            peers = _Peers(rendered, workload, direction)
            if not peers.covered:
                raise AssertionError(f"{rendered.name}: no policy confines the {direction} of {workload}")
            into |= {(workload.name, *arrow) if direction == "egress" else (arrow[0], workload.name, arrow[1]) for arrow in peers.arrows}
    half = {arrow for arrow in outgoing ^ incoming if not arrow[0].startswith("<") and not arrow[1].startswith("<")}
    if half:
        raise AssertionError(f"{rendered.name}: allowed at one end only: {sorted(half)}")
    return outgoing | incoming
