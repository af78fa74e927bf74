// The git servers that Davit reads from, and connecting another.
import { useState } from 'preact/hooks';
import { createConnection, listConnections } from '../api/calls';
import { mayAct } from '../api/client';
import type { Provider } from '../api/types';
import { checkName, checkRepository, checkUrl } from '../model/checks';
import { connectionLook, expiryLook, providerOf, PROVIDERS } from '../model/connection_state';
import { SelectField, TextField } from '../ui/fields';
import { announce, refuseForm, useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { PlusIcon } from '../ui/icons';
import { Ago, Badge, Button, ButtonLink, Empty, ErrorNote, Note, PageHead, Skeleton } from '../ui/parts';
import { Link, navigate } from '../ui/router';

export function ConnectionsPage() {
  useTitle('Connections');
  const connections = useQuery('connections', listConnections);
  const now = useNow(30_000);
  const list = connections.value ?? [];
  return (
    <>
      <PageHead title="Connections" lead="The git servers that Davit reads repositories from." actions={mayAct('admin') && list.length > 0 && <ButtonLink href="/connections/new" kind="primary"><PlusIcon /> New connection</ButtonLink>} />
      {connections.error && <ErrorNote error={connections.error} retry={connections.reload} />}
      {!connections.value && connections.loading && <Skeleton rows={3} />}
      {connections.value?.length === 0 && (
        <Empty title="No git server yet" action={mayAct('admin') && <ButtonLink href="/connections/new" kind="primary">Connect a git server</ButtonLink>}>
          {mayAct('admin') ? 'Connect GitHub, GitLab or any git server over HTTPS with an access token. It is kept encrypted and never shown again.' : 'An administrator of this project can connect one.'}
        </Empty>
      )}
      {list.length > 0 && (
        <ul class="table connections">
          <li class="table-head" aria-hidden="true"><span>State</span><span>Connection</span><span>Account and scopes</span><span class="right">Verified</span></li>
          {list.map((connection) => {
            const look = connectionLook(connection);
            const expiry = expiryLook(connection.token_expire_time, now);
            return (
              <li key={connection.id} class="table-row">
                <span class="cell-source"><span><Badge tone={look.tone}>{look.label}</Badge></span>{connection.state === 'STATE_INVALID' && <span class="small muted"><bdi>{connection.state_reason}</bdi></span>}</span>
                <span class="cell-source">
                  <Link href={`/connections/${encodeURIComponent(connection.id ?? '')}`} class="row-link"><bdi class="clip">{connection.display_name}</bdi></Link>
                  <span class="muted small clip">{providerOf(connection.provider).label} · <bdi>{connection.base_url}</bdi></span>
                </span>
                <span class="cell-source">
                  <span class="clip"><bdi>{connection.account || <span class="muted">account not told</span>}</bdi>{(connection.scopes ?? []).length > 0 && <span class="muted"> · <bdi>{connection.scopes!.join(', ')}</bdi></span>}</span>
                  <span class={`small tone-text-${expiry.tone} muted`}>{expiry.text}</span>
                </span>
                <span class="right muted"><Ago time={connection.verify_time} now={now} /></span>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}

export function NewConnectionPage() {
  useTitle('New connection');
  const [provider, setProvider] = useState<Provider>('PROVIDER_GITHUB');
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [username, setUsername] = useState('');
  const [probe, setProbe] = useState('');
  const [token, setToken] = useState('');
  const [insist, setInsist] = useState(false);
  const about = providerOf(provider);
  const generic = provider === 'PROVIDER_GENERIC_GIT';
  const problems = {
    name: checkName(name),
    url: generic && url.trim() === '' ? 'Type the server’s address.' : checkUrl(url.trim()),
    probe: probe.trim() === '' ? '' : checkRepository(probe.trim()),
    token: token.trim() === '' ? 'Paste the access token.' : token.length > 4096 ? 'At most 4096 characters.' : '',
  };
  const create = useAction(async () => {
    setInsist(true);
    if (Object.values(problems).some(Boolean)) return refuseForm();
    const made = await createConnection({ display_name: name.trim(), provider, base_url: url.trim(), username: username.trim(), probe_repository: probe.trim() }, token.trim());
    setToken('');
    announce(`${made.display_name} is connected.`);
    navigate(`/connections/${encodeURIComponent(made.id ?? '')}`);
  });
  const of = (field: RegExp) => (create.error && field.test(create.error.field) ? create.error.message : '');
  const server = { name: create.error?.code === 'ALREADY_EXISTS' ? 'This name is taken: choose another.' : of(/display_name$/), url: of(/base_url$/), username: of(/username$/), probe: of(/probe_repository$/), token: of(/token$/) };
  const shown = Object.values(server).some(Boolean);
  return (
    <>
      <PageHead title="New connection" back={{ href: '/connections', label: 'Connections' }} lead="The token is tried at once, kept encrypted, and never shown again." />
      {!mayAct('admin') && <Note tone="warn"><p>Connecting a git server needs an administrator’s token.</p></Note>}
      <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void create.run(); }}>
        <fieldset disabled={!mayAct('admin')}>
          <legend>Git server</legend>
          <div class="field-row">
            <SelectField label="Kind" value={provider} onInput={(value) => setProvider(value as Provider)} options={PROVIDERS.map(({ value, label }) => ({ value, label }))} />
            <TextField label="Name" value={name} onInput={setName} insist={insist || server.name !== ''} problem={problems.name || server.name} placeholder={about.label} />
          </div>
          <TextField label="Address" type="url" mono optional={!generic} value={url} onInput={setUrl} insist={insist || server.url !== ''} problem={problems.url || server.url} placeholder={about.url || 'https://git.example.com'}
            hint={generic ? 'The server’s URL, without a repository.' : `Empty: ${about.url}. For a server of your own, its URL.`} />
          {generic && <TextField label="Repository to try the token on" mono optional value={probe} onInput={(value) => setProbe(value.trim())} insist={insist || server.probe !== ''} problem={problems.probe || server.probe} placeholder="team/app" />}
        </fieldset>
        <fieldset disabled={!mayAct('admin')}>
          <legend>Access</legend>
          <div class="field-row">
            <TextField label="Access token" type="password" mono value={token} onInput={setToken} insist={insist || server.token !== ''} problem={problems.token || server.token} hint={about.scopes} autoComplete="new-password" />
            <TextField label="User name" mono optional value={username} onInput={setUsername} insist={server.username !== ''} problem={server.username} placeholder={about.user} />
          </div>
        </fieldset>
        {create.error && !shown && <ErrorNote error={create.error} />}
        <div class="row end">
          <ButtonLink href="/connections">Cancel</ButtonLink>
          <Button kind="primary" type="submit" busy={create.busy} disabled={!mayAct('admin')}>{create.busy ? 'Trying the token…' : 'Connect'}</Button>
        </div>
      </form>
    </>
  );
}
