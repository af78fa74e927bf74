// Reads Kubernetes objects (a JSON list) from standard input and prints what is wrong with them by the schemas of Kubernetes and KEDA, one line
// each, like `kubectl apply --validate=strict`: values of the wrong type or missing, and fields that no schema knows.
//
// The schemas are compiled validators that look at each field they know; a field that was never looked at is unknown.
import { existsSync, readFileSync } from "node:fs";

const core = ["v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1"];
const packages = { "keda.sh/v1alpha1": "@kubernetes-models/keda" };
const prefixes = { v1: "IoK8sApiCoreV1", "apps/v1": "IoK8sApiAppsV1", "batch/v1": "IoK8sApiBatchV1", "networking.k8s.io/v1": "IoK8sApiNetworkingV1",
  "policy/v1": "IoK8sApiPolicyV1", "keda.sh/v1alpha1": "ComGithubKedacoreKedaV2ApisKedaV1alpha1" };

// The validator of a kind, or null.
async function validatorOf(apiVersion, kind) {
  const name = core.includes(apiVersion) ? "kubernetes-models" : packages[apiVersion];
  if (!name) return null;
  const schema = new URL(`node_modules/${name}/_schemas/${prefixes[apiVersion]}${kind}.js`, import.meta.url);
  return existsSync(schema) ? (await import(schema)).validate : null;
}

// The value, noting which of its fields are looked at.
function watched(value, path, seen) {
  if (value === null || typeof value !== "object") return value;
  const entry = { path, value, read: new Set() };
  seen.push(entry);
  const children = new Map();
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string") entry.read.add(key);
      const child = target[key];
      if (child === null || typeof child !== "object") return child;
      if (!children.has(key)) children.set(key, watched(child, `${path}/${String(key)}`, seen));
      return children.get(key);
    },
  });
}

async function problemsOf(object) {
  const validate = await validatorOf(object.apiVersion, object.kind);
  if (!validate) return [`no schema of ${object.apiVersion} ${object.kind}`];
  const seen = [];
  const problems = [];
  if (!validate(watched(object, "", seen))) {
    for (const error of validate.errors) problems.push(`${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`);
  }
  for (const { path, value, read } of seen) {
    if (Array.isArray(value)) continue;
    for (const key of Object.keys(value)) if (!read.has(key)) problems.push(`${path}/${key}: unknown field`);
  }
  return problems;
}

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  for (const problem of await problemsOf(object)) console.log(`${object.kind}/${object.metadata?.name}: ${problem}`);
}
