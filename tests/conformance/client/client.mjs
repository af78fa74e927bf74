// An independent client: all that it knows is the server's address and a token; the API comes from the server's reflection. Reads a job from standard input, does
// what a person's own tool would do, and prints as JSON what it got.
import grpc from '@grpc/grpc-js';
import { text } from 'node:stream/consumers';
import reflection from 'grpc-js-reflection-client';

const job = JSON.parse(await text(process.stdin));
const plain = grpc.credentials.createInsecure();
const reflected = new reflection.GrpcReflection(job.server, plain);
const services = await reflected.listServices();
const METADATA = new grpc.Metadata();
METADATA.set('authorization', `Bearer ${job.token}`);
const clients = {};

/** A client of one service, made from what the server says of it. */
async function connect(name) {
  const descriptor = await reflected.getDescriptorBySymbol(name);
  const tree = descriptor.getPackageObject({ keepCase: true, longs: String, enums: String, defaults: true });
  const Service = name.split('.').reduce((node, part) => node[part], tree);
  clients[name.split('.').at(-1)] = new Service(job.server, plain);
}

const call = (service, method, request) => new Promise((resolve, reject) => {
  clients[service][method](request, METADATA, { deadline: Date.now() + 30_000 }, (error, response) => (error ? reject(error) : resolve(response)));
});

for (const name of ['davit.registry.v1.TokenRegistry', 'davit.rules.v1.RuleEngine', 'davit.scheduler.v1.Scheduler']) await connect(name);

const { registry_credential: credential } = await call('TokenRegistry', 'CreateRegistryCredential', {
  registry_credential: { display_name: 'independent', registry: job.registry, username: job.registry_user }, password: job.registry_password,
});
const { connection } = await call('TokenRegistry', 'CreateConnection', {
  connection: { display_name: 'independent', provider: 'PROVIDER_GENERIC_GIT', base_url: job.git_url, probe_repository: job.repository }, token: job.git_token,
});
const { rule } = await call('RuleEngine', 'CreateRule', {
  rule: {
    display_name: 'independent', connection_id: connection.id, repository: job.repository, trigger: { branches: ['main'] }, recipe: { build_args: [{ key: 'REGISTRY', value: job.registry }] },
    // (This package shows maps as on the wire: entries with a key and a value.)
    destination: { repository: `${job.registry}/${job.repository}`, registry_credential_id: credential.id }, tag_templates: ['by-{commit:8}'],
  },
});
const refused = await call('RuleEngine', 'CreateRule', { rule: { ...rule, display_name: 'second', trigger: { branches: ['re:('] } } }).catch(({ code, details }) => ({ code: grpc.status[code], details }));

let { event } = await call('RuleEngine', 'TriggerRule', { id: rule.id, revision: 'main', request_id: 'independent-1' });
while (!event.explanations[0]?.build_id) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  ({ event } = await call('RuleEngine', 'GetEvent', { id: event.id }));
}
const id = event.explanations[0].build_id;

/** Everything that a server's stream sends, to its end. */
const collect = (stream) => new Promise((resolve, reject) => {
  const messages = [];
  stream.on('data', (message) => messages.push(message)).on('end', () => resolve(messages)).on('error', reject);
});
const [watched, pieces] = await Promise.all([
  collect(clients.Scheduler.WatchBuild({ id }, METADATA)),
  collect(clients.Scheduler.ReadLog({ build_id: id, follow: true }, METADATA)),
]);
console.log(JSON.stringify({
  services, rule: rule.id, refused, build: watched.at(-1).build, states: watched.map(({ build }) => build.state),
  log: Buffer.concat(pieces.map(({ data }) => data)).toString(), complete: pieces.at(-1).complete,
}));
process.exit(0);
