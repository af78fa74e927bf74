// Settings: registry credentials, API tokens, agents.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import {
  createApiToken, createRegistryCredential, deleteRegistryCredential, drainAgent, listAgents, listApiTokens, listRegistryCredentials, revokeApiToken, undrainAgent,
} from '../api/calls';
import { currentSession, mayAct } from '../api/client';
import type { Agent, ApiToken, RegistryCredential, Role } from '../api/types';
import { checkName } from '../model/checks';
import { expiryLook } from '../model/connection_state';
import { plural } from '../model/format';
import { Confirm, Dialog } from '../ui/dialog';
import { SelectField, TextField } from '../ui/fields';
import { announce, type Query, useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { PlusIcon, TrashIcon } from '../ui/icons';
import { Ago, Badge, Button, Copyable, Empty, ErrorNote, Facts, Note, PageHead, Skeleton } from '../ui/parts';
import { Link } from '../ui/router';

const SECTIONS = [
  { key: 'registries', label: 'Registry credentials' },
  { key: 'tokens', label: 'API tokens' },
  { key: 'agents', label: 'Agents' },
];

export function SettingsPage({ section }: { section: string }) {
  const chosen = SECTIONS.find((one) => one.key === section) ?? SECTIONS[0]!;
  useTitle(chosen.label);
  return (
    <>
      <PageHead title="Settings" />
      <nav class="tabs" aria-label="Settings">
        {SECTIONS.map((one) => <Link key={one.key} href={`/settings/${one.key}`} aria-current={one === chosen ? 'page' : undefined}>{one.label}</Link>)}
      </nav>
      {chosen.key === 'registries' && <Registries />}
      {chosen.key === 'tokens' && <Tokens />}
      {chosen.key === 'agents' && <Agents />}
    </>
  );
}

/** A list's frame: its lead, its button, its error, its loading. */
function ListFrame<Item>({ query, lead, action, empty, children }: { query: Query<Item[]>; lead: string; action?: ComponentChildren; empty: ComponentChildren; children: (items: Item[]) => ComponentChildren }) {
  return (
    <>
      <div class="section-head"><p class="lead grow">{lead}</p>{action}</div>
      {query.error && <ErrorNote error={query.error} retry={query.reload} />}
      {!query.value && query.loading && <Skeleton rows={3} />}
      {query.value?.length === 0 && empty}
      {query.value && query.value.length > 0 && children(query.value)}
    </>
  );
}

function Registries() {
  const query = useQuery('registry-credentials', listRegistryCredentials);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<RegistryCredential | null>(null);
  const now = useNow(60_000);
  const remove = useAction(async () => {
    await deleteRegistryCredential(deleting!.id ?? '');
    setDeleting(null);
    announce('The credential was deleted.');
    query.reload();
  });
  const admin = mayAct('admin');
  const add = admin && <Button kind="primary" onClick={() => setCreating(true)}><PlusIcon /> New credential</Button>;
  return (
    <>
      <ListFrame query={query} lead="With which user and password images are pulled and pushed." action={query.value?.length ? add : undefined}
        empty={<Empty title="No registry credential yet" action={add}>{admin ? 'Images go to a registry. Give Davit a user that may push there; the password is kept encrypted and never shown again.' : 'An administrator of this project can add one.'}</Empty>}>
        {(items) => (
          <ul class="table settings-list">
            {items.map((credential) => (
              <li key={credential.id} class="table-row">
                <span class="cell-source"><strong><bdi>{credential.display_name}</bdi></strong><code class="small muted">{credential.id}</code></span>
                <code><bdi>{credential.registry}</bdi></code>
                <span>{credential.username ? <bdi>{credential.username}</bdi> : <span class="muted">no authentication</span>}</span>
                <span class="muted"><Ago time={credential.create_time} now={now} /></span>
                <span class="right">{admin && <Button kind="quiet" small label={`Delete ${credential.display_name}`} onClick={() => setDeleting(credential)}><TrashIcon /></Button>}</span>
              </li>
            ))}
          </ul>
        )}
      </ListFrame>
      {creating && <NewCredential onClose={() => setCreating(false)} onMade={() => { setCreating(false); query.reload(); }} />}
      {deleting && (
        <Confirm title={`Delete the credential “${deleting.display_name}”?`} action="Delete the credential" busy={remove.busy} error={remove.error} onConfirm={() => void remove.run()} onClose={() => setDeleting(null)}>
          <p>Builds that push to {deleting.registry} with it fail from then on.</p>
        </Confirm>
      )}
    </>
  );
}

function NewCredential({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [name, setName] = useState('');
  const [registry, setRegistry] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [insist, setInsist] = useState(false);
  const registryProblem = registry.trim() === '' ? 'Type the registry’s host.' : /[/\s]/.test(registry.trim()) ? 'The host and its port only, without https:// and without a path.' : '';
  const create = useAction(async () => {
    setInsist(true);
    if (checkName(name) || registryProblem) return;
    await createRegistryCredential({ display_name: name.trim(), registry: registry.trim(), username: username.trim() }, password);
    announce('The credential was added.');
    onMade();
  });
  const of = (field: RegExp) => (create.error && field.test(create.error.field) ? create.error.message : '');
  return (
    <Dialog title="New registry credential" onClose={onClose}>
      <form noValidate onSubmit={(event) => { event.preventDefault(); void create.run(); }}>
        <TextField label="Name" value={name} onInput={setName} insist={insist} problem={checkName(name) || of(/display_name$/)} placeholder="Team registry" />
        <TextField label="Registry" mono value={registry} onInput={setRegistry} insist={insist} problem={registryProblem || of(/registry$/)} placeholder="registry.example.com" hint="Host, and port if it has one." />
        <div class="field-row">
          <TextField label="User name" optional value={username} onInput={setUsername} problem={of(/username$/)} insist hint="Empty: no authentication." />
          <TextField label="Password or token" type="password" mono value={password} onInput={setPassword} problem={of(/password$/)} insist autoComplete="new-password" />
        </div>
        {create.error && <ErrorNote error={create.error} />}
        <div class="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.busy}>{create.busy ? 'Trying it…' : 'Add'}</Button>
        </div>
      </form>
    </Dialog>
  );
}

const ROLES: { value: Role; label: string }[] = [
  { value: 'ROLE_VIEWER', label: 'Viewer: reads everything but secrets' },
  { value: 'ROLE_DEVELOPER', label: 'Developer: also starts and cancels builds, uploads' },
  { value: 'ROLE_ADMIN', label: 'Administrator: also writes connections, rules, tokens' },
];

function Tokens() {
  const admin = mayAct('admin');
  const query = useQuery('api-tokens', async (signal) => (admin ? listApiTokens(signal) : []));
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const now = useNow(60_000);
  const revoke = useAction(async () => {
    await revokeApiToken(revoking!.id ?? '');
    setRevoking(null);
    announce('The token was revoked.');
    query.reload();
  });
  if (!admin) return <Note><p>Only an administrator sees the project’s tokens. Yours: <bdi>{currentSession()?.caller.display_name}</bdi>.</p></Note>;
  return (
    <>
      <ListFrame query={query} lead="Tokens for people, scripts and the command line." action={<Button kind="primary" onClick={() => setCreating(true)}><PlusIcon /> New token</Button>} empty={<Empty title="No tokens yet">Make one for each person or script, with the smallest role that does.</Empty>}>
        {(items) => (
          <ul class="table settings-list">
            {items.map((token) => {
              const expiry = expiryLook(token.expire_time, now);
              return (
                <li key={token.id} class={`table-row ${token.revoke_time ? 'faded' : ''}`}>
                  <span class="cell-source"><strong><bdi>{token.display_name}</bdi></strong><code class="small muted">{token.id}</code></span>
                  <span>{(token.role ?? '').replace('ROLE_', '').toLowerCase().replace('_', '-')}{token.project === '*' && ', all projects'}</span>
                  <span>{token.revoke_time ? <Badge tone="neutral">revoked</Badge> : <span class={`tone-text-${expiry.tone}`}>{token.expire_time ? expiry.text : 'never expires'}</span>}</span>
                  <span class="muted">{token.last_use_time ? <>used <Ago time={token.last_use_time} now={now} /></> : 'never used'}</span>
                  <span class="right">{!token.revoke_time && <Button small label={`Revoke ${token.display_name}`} onClick={() => setRevoking(token)}>Revoke</Button>}</span>
                </li>
              );
            })}
          </ul>
        )}
      </ListFrame>
      {creating && <NewToken onClose={() => { setCreating(false); query.reload(); }} />}
      {revoking && (
        <Confirm title={`Revoke “${revoking.display_name}”?`} action="Revoke the token" busy={revoke.busy} error={revoke.error} onConfirm={() => void revoke.run()} onClose={() => setRevoking(null)}>
          <p>Whoever uses it is refused within 30 seconds, for good.</p>
        </Confirm>
      )}
    </>
  );
}

const DAY_MS = 86_400_000;

function NewToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('ROLE_DEVELOPER');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState('');
  const [insist, setInsist] = useState(false);
  const create = useAction(async () => {
    setInsist(true);
    if (checkName(name)) return;
    const expires = Number(days) > 0 ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : undefined;
    setMade((await createApiToken(name.trim(), role, expires)).token ?? '');
    announce('The token was made. Copy it now.');
  });
  if (made) {
    return (
      <Dialog title="The token is made" onClose={onClose}>
        <Note tone="warn"><p><strong>Copy it now:</strong> it is not shown again.</p></Note>
        <Facts items={[['Token', <Copyable text={made} what="the token" />]]} />
        <div class="row end"><Button kind="primary" onClick={onClose}>I have copied it</Button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New API token" onClose={onClose}>
      <form noValidate onSubmit={(event) => { event.preventDefault(); void create.run(); }}>
        <TextField label="What it is for" value={name} onInput={setName} insist={insist} problem={checkName(name)} placeholder="Release script" />
        <SelectField label="Role" value={role} onInput={(value) => setRole(value as Role)} options={ROLES} />
        <SelectField label="Expires" value={days} onInput={setDays} options={[{ value: '30', label: 'in 30 days' }, { value: '90', label: 'in 90 days' }, { value: '365', label: 'in a year' }, { value: '0', label: 'never' }]} />
        {create.error && <ErrorNote error={create.error} />}
        <div class="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.busy}>Make the token</Button>
        </div>
      </form>
    </Dialog>
  );
}

const AGENTS_REFRESH_MS = 5000;

function Agents() {
  const tick = Math.floor(useNow(AGENTS_REFRESH_MS) / AGENTS_REFRESH_MS);
  const [agents, setAgents] = useState<Agent[]>();
  const query = useQuery(`agents ${tick}`, async (signal) => {
    setAgents(await listAgents(signal));
    return [] as Agent[];
  });
  const now = Date.now();
  const operator = mayAct('admin') && currentSession()?.caller.project === '*';
  const drain = useAction(async (agent: Agent) => {
    await (agent.state === 'STATE_DRAINING' ? undrainAgent(agent.id ?? '') : drainAgent(agent.id ?? ''));
    announce(`${agent.name} ${agent.state === 'STATE_DRAINING' ? 'takes builds again' : 'takes no more builds'}.`);
    query.reload();
  });
  const tones = { STATE_READY: ['good', 'Ready'], STATE_DRAINING: ['warn', 'Draining'], STATE_OFFLINE: ['bad', 'Offline'], STATE_UNSPECIFIED: ['neutral', 'Unknown'] } as const;
  return (
    <>
      {drain.error && <ErrorNote error={drain.error} />}
      <ListFrame query={{ ...query, value: agents, loading: !agents && query.loading }} lead="The machines that build, shared by all projects." empty={<Empty title="No agent has called yet">Builds wait until a builder-agent is started and can reach the scheduler.</Empty>}>
        {(items) => (
          <ul class="table settings-list">
            {items.map((agent) => {
              const [tone, label] = tones[agent.state ?? 'STATE_UNSPECIFIED'];
              const running = (agent.build_ids ?? []).length;
              return (
                <li key={agent.id} class="table-row">
                  <span class="cell-source"><span><strong><bdi>{agent.name}</bdi></strong> <Badge tone={tone}>{label}</Badge></span><span class="small muted clip"><bdi>{Object.entries(agent.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(', ')}</bdi></span></span>
                  <span>{running} of {plural(agent.slots ?? 0, 'slot')} in use</span>
                  <span class="muted"><bdi>{agent.version}</bdi></span>
                  <span class="muted">seen <Ago time={agent.last_seen_time} now={now} /></span>
                  <span class="right">{operator && agent.state !== 'STATE_OFFLINE' && <Button small busy={drain.busy} onClick={() => void drain.run(agent)}>{agent.state === 'STATE_DRAINING' ? 'Take builds again' : 'Drain'}</Button>}</span>
                </li>
              );
            })}
          </ul>
        )}
      </ListFrame>
    </>
  );
}
