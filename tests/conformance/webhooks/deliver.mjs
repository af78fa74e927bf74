// Sends webhooks that are made by packages of others: GitHub's example payloads signed by GitHub's own package, GitLab's
// signed form made by the Standard Webhooks package. Reads a job from standard input, prints one line of JSON per answer.
//
//   {"kind": "github", "url": …, "secret": …, "wrong": false}   every example of every event and of every server version;
//                                                               with "wrong" they are signed with another secret
//   {"kind": "gitlab", "url": …, "secret": …, "payload": {…}, "id": …, "age": seconds, "event": …, "change": …}
//                      one signed delivery; "change" is body, id, signature or "" (sent as it was signed)
//   {"kind": "verify", "secret": …, "payload": …, "signature": …}   whether GitHub's package takes our own signature
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { sign, verify } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";

const CONCURRENCY = 8;
const EXAMPLES = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules/@octokit/webhooks-examples");

function print(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function post(url, headers, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body,
    redirect: "error",
  });
  return { status: response.status, answer: await response.json() };
}

// [{version, event, number, payload}] of every server version that the package has examples of.
function examples() {
  const found = [];
  for (const version of fs.readdirSync(EXAMPLES).sort()) {
    const file = path.join(EXAMPLES, version, "index.json");
    if (!fs.existsSync(file)) continue;
    for (const { name, examples: payloads } of JSON.parse(fs.readFileSync(file, "utf8"))) {
      payloads.forEach((payload, number) => found.push({ version, event: name, number, payload }));
    }
  }
  return found;
}

async function github(job) {
  const waiting = examples();
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { version, event, number, payload } = next;
      const body = JSON.stringify(payload);
      const name = `${version} ${event} ${number}`;
      const headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": `${version}-${event}-${number}`,
        "X-Hub-Signature-256": await sign(job.wrong ? `${job.secret}x` : job.secret, body),
        "User-Agent": "GitHub-Hookshot/conformance",
      };
      const { ref = "", after = "" } = payload;
      print({ name, event, ref, after, ...(await post(job.url, headers, body)) });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function gitlab(job) {
  const body = JSON.stringify(job.payload);
  const sent = new Date(Date.now() - job.age * 1000);
  let signature = new Webhook(job.secret).sign(job.id, sent, body);
  if (job.change === "signature") signature = `v1,${Buffer.alloc(32).toString("base64")}`;
  if (job.change === "several") signature = `v1,${Buffer.alloc(32).toString("base64")} v1a,c2ln ${signature}`;
  const headers = {
    "X-Gitlab-Event": job.event,
    "Idempotency-Key": `key-${job.id}`,
    "webhook-id": job.change === "id" ? `${job.id}x` : job.id,
    "webhook-timestamp": String(Math.floor(sent.getTime() / 1000)),
    "webhook-signature": signature,
  };
  print(await post(job.url, headers, job.change === "body" ? `${body} ` : body));
}

const job = JSON.parse(fs.readFileSync(0, "utf8"));
switch (job.kind) {
  case "github":
    await github(job);
    break;
  case "gitlab":
    await gitlab(job);
    break;
  case "verify":
    print({ verified: await verify(job.secret, job.payload, job.signature) });
    break;
  default:
    throw new Error(`unknown kind of job: ${job.kind}`);
}
