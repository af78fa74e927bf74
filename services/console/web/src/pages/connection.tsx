// One connection: its state, its token, its webhooks.
import { useState } from 'preact/hooks';
import { createWebhook, deleteConnection, deleteWebhook, getConnection, listWebhooks, rotateConnectionToken, updateConnection, verifyConnection } from '../api/calls';
import { mayAct } from '../api/client';
import type { Connection, Webhook } from '../api/types';
import { checkName, checkRepository } from '../model/checks';
import { connectionLook, expiryLook, providerOf } from '../model/connection_state';
import { formatTime } from '../model/format';
import { Confirm, Dialog } from '../ui/dialog';
import { TextField } from '../ui/fields';
import { announce, useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { EditIcon, PlusIcon, RetryIcon, TrashIcon } from '../ui/icons';
import { Ago, Badge, Button, ButtonLink, Copyable, ErrorNote, Facts, Note, PageHead, Skeleton } from '../ui/parts';
import { navigate } from '../ui/router';

export function ConnectionPage({ id }: { id: string }) {
  const query = useQuery(id, (signal) => getConnection(id, signal));
  const connection = query.value;
  const [open, setOpen] = useState<'' | 'edit' | 'delete'>('');
  useTitle(connection?.display_name ?? 'Connection');
  const now = useNow(30_000);
  const verify = useAction(async () => {
    const next = await verifyConnection(id);
    query.set(next);
    announce(`Verified: ${connectionLook(next).label}.`);
  });
  const remove = useAction(async () => {
    await deleteConnection(id);
    navigate('/connections');
  });
  const back = { href: '/connections', label: 'Connections' };
  if (!connection) {
    return (
      <>
        <PageHead title="Connection" back={back} />
        {query.error ? <ErrorNote error={query.error} retry={query.reload} /> : <Skeleton />}
      </>
    );
  }
  const look = connectionLook(connection);
  const expiry = expiryLook(connection.token_expire_time, now);
  const admin = mayAct('admin');
  return (
    <>
      <PageHead
        back={back} title={<span class="build-title"><bdi>{connection.display_name}</bdi> <Badge tone={look.tone}>{look.label}</Badge></span>}
        lead={<>{providerOf(connection.provider).label} at <bdi>{connection.base_url}</bdi></>}
        actions={admin && (
          <>
            <Button onClick={() => void verify.run()} busy={verify.busy}><RetryIcon /> Verify now</Button>
            <Button onClick={() => setOpen('edit')}><EditIcon /> Change</Button>
            <Button kind="quiet" label="Delete this connection" onClick={() => setOpen('delete')}><TrashIcon /></Button>
          </>
        )}
      />
      {verify.error && <ErrorNote error={verify.error} />}
      {connection.state === 'STATE_INVALID' && <Note tone="bad"><p><strong>The server refused the token: {connection.state_reason || 'no reason told'}.</strong></p><p>Make a new token there and put it in with “Change”.</p></Note>}
      {expiry.tone !== 'neutral' && connection.state !== 'STATE_INVALID' && <Note tone="warn"><p>The token {expiry.text}. Replace it with “Change” before it does: builds need it.</p></Note>}
      <section class="card" aria-labelledby="facts-title">
        <h2 id="facts-title">Token</h2>
        <Facts
          items={[
            ['Account', <bdi>{connection.account || 'not told by the server'}</bdi>],
            ['Scopes', (connection.scopes ?? []).length > 0 ? <ul class="tags">{connection.scopes!.map((scope) => <li key={scope}><bdi>{scope}</bdi></li>)}</ul> : 'not told by the server'],
            ['Expiry', expiry.text],
            ['User name', <code><bdi>{connection.username}</bdi></code>],
            ['Verified', <><Ago time={connection.verify_time} now={now} /> <span class="muted">({formatTime(connection.verify_time)})</span></>],
            ['Tried on', connection.probe_repository && <code><bdi>{connection.probe_repository}</bdi></code>],
            ['Id', <Copyable text={connection.id ?? ''} what="the connection’s id" />],
          ]}
        />
      </section>
      <Webhooks connection={connection} />
      {admin && <div class="row"><ButtonLink href={`/rules/new?connection=${encodeURIComponent(id)}`}><PlusIcon /> New rule on this connection</ButtonLink></div>}
      {open === 'edit' && <EditDialog connection={connection} onClose={() => setOpen('')} onSaved={(next) => { query.set(next); setOpen(''); }} />}
      {open === 'delete' && (
        <Confirm title={`Delete the connection “${connection.display_name}”?`} action="Delete the connection" busy={remove.busy} error={remove.error} onConfirm={() => void remove.run()} onClose={() => setOpen('')}>
          <p>Its token and its webhooks go with it. Rules of its repositories stay, but their builds fail until they are moved to another connection.</p>
        </Confirm>
      )}
    </>
  );
}

function EditDialog({ connection, onClose, onSaved }: { connection: Connection; onClose: () => void; onSaved: (next: Connection) => void }) {
  const [name, setName] = useState(connection.display_name ?? '');
  const [username, setUsername] = useState(connection.username ?? '');
  const [probe, setProbe] = useState(connection.probe_repository ?? '');
  const [token, setToken] = useState('');
  const generic = connection.provider === 'PROVIDER_GENERIC_GIT';
  const probeProblem = probe ? checkRepository(probe) : '';
  const save = useAction(async () => {
    if (checkName(name) || probeProblem) return;
    const wanted: Connection = { id: connection.id, display_name: name.trim(), username: username.trim(), probe_repository: probe };
    const paths = [name.trim() !== connection.display_name && 'display_name', username.trim() !== (connection.username ?? '') && 'username', probe !== (connection.probe_repository ?? '') && 'probe_repository'].filter((path): path is string => Boolean(path));
    if (paths.length === 0 && token.trim() === '') return onClose();
    let saved = connection;
    // A token and its user name are tried together.
    if (token.trim() !== '') saved = await rotateConnectionToken(connection.id ?? '', token.trim(), username.trim());
    const others = token.trim() === '' || username.trim() === '' ? paths : paths.filter((path) => path !== 'username');
    if (others.length > 0) saved = await updateConnection(wanted, others);
    onSaved(saved);
    announce('The connection was changed.');
  });
  return (
    <Dialog title="Change the connection" onClose={onClose}>
      <form noValidate onSubmit={(event) => { event.preventDefault(); void save.run(); }}>
        <TextField label="Name" value={name} onInput={setName} problem={checkName(name)} insist />
        <TextField label="New access token" type="password" mono optional value={token} onInput={setToken} hint="Empty: the one that is stored stays. A new one is tried first." autoComplete="new-password" />
        <TextField label="User name" mono value={username} onInput={setUsername} />
        {generic && <TextField label="Repository to try the token on" mono optional value={probe} onInput={(value) => setProbe(value.trim())} problem={probeProblem} insist />}
        {save.error && <ErrorNote error={save.error} />}
        <div class="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={save.busy}>Save</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Webhooks({ connection }: { connection: Connection }) {
  const hooks = useQuery(`webhooks ${connection.id}`, (signal) => listWebhooks(connection.id ?? '', signal));
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Webhook | null>(null);
  const now = useNow(60_000);
  const remove = useAction(async () => {
    await deleteWebhook(deleting!.id ?? '');
    setDeleting(null);
    announce('The webhook was deleted.');
    hooks.reload();
  });
  const admin = mayAct('admin');
  return (
    <section class="card" aria-labelledby="hooks-title">
      <div class="section-head">
        <h2 id="hooks-title">Webhooks</h2>
        <span class="grow" />
        {admin && <Button small onClick={() => setCreating(true)}><PlusIcon /> New webhook</Button>}
      </div>
      {hooks.error && <ErrorNote error={hooks.error} retry={hooks.reload} />}
      {hooks.value?.length === 0 && <p class="muted">None yet. With a webhook the git server tells Davit of every push; without one, rules build by hand only.</p>}
      {(hooks.value ?? []).length > 0 && (
        <ul class="table webhooks">
          {hooks.value!.map((hook) => (
            <li key={hook.id} class="table-row">
              <Copyable text={`/hooks/${hook.id}`} what="the webhook’s path" />
              <span>{hook.repository ? <code><bdi>{hook.repository}</bdi></code> : <span class="muted">every repository</span>}</span>
              <span class="muted"><Ago time={hook.create_time} now={now} /></span>
              <span class="right">{admin && <Button kind="quiet" small label={`Delete the webhook ${hook.id}`} onClick={() => setDeleting(hook)}><TrashIcon /></Button>}</span>
            </li>
          ))}
        </ul>
      )}
      {creating && <NewWebhook connection={connection} onClose={() => { setCreating(false); hooks.reload(); }} />}
      {deleting && (
        <Confirm title="Delete this webhook?" action="Delete the webhook" busy={remove.busy} error={remove.error} onConfirm={() => void remove.run()} onClose={() => setDeleting(null)}>
          <p>Deliveries to <code>/hooks/{deleting.id}</code> are refused from then on. Remove it from the git server’s settings too.</p>
        </Confirm>
      )}
    </section>
  );
}

/** Makes a webhook, then shows its path and its secret: the only time that the secret is seen. */
function NewWebhook({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const [repository, setRepository] = useState('');
  const [made, setMade] = useState<{ path: string; secret: string }>();
  const problem = repository ? checkRepository(repository) : '';
  const create = useAction(async () => {
    if (problem) return;
    const answer = await createWebhook(connection.id ?? '', repository);
    setMade({ path: answer.path ?? `/hooks/${answer.webhook?.id}`, secret: answer.secret ?? '' });
    announce('The webhook was made. Copy its secret now.');
  });
  if (made) {
    return (
      <Dialog title="The webhook is made" onClose={onClose}>
        <Note tone="warn"><p><strong>Copy the secret now:</strong> it is not shown again.</p></Note>
        <Facts items={[['Path', <Copyable text={made.path} what="the path" />], ['Secret', <Copyable text={made.secret} what="the secret" />], ['Content type', <code>application/json</code>], ['Events', 'pushes (branches and tags)']]} />
        <p class="hint">In the repository’s settings on {providerOf(connection.provider).label}, add a webhook whose URL is your webhook gateway’s address followed by the path, with this secret.</p>
        <div class="row end"><Button kind="primary" onClick={onClose}>I have copied it</Button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New webhook" onClose={onClose}>
      <form noValidate onSubmit={(event) => { event.preventDefault(); void create.run(); }}>
        <TextField label="Only this repository" mono optional value={repository} onInput={(value) => setRepository(value.trim())} problem={problem} insist={create.error !== undefined} placeholder="team/app" hint="Empty: deliveries of every repository of this connection are taken." />
        {create.error && <ErrorNote error={create.error} />}
        <div class="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.busy} disabled={problem !== ''}>Make the webhook</Button>
        </div>
      </form>
    </Dialog>
  );
}
