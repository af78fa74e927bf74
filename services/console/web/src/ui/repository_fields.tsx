// Choosing a repository: its connection, its path, and a look at its real refs some time after typing stopped.
import { useEffect, useRef, useState } from 'preact/hooks';
import { listConnections, listRefs, listRepositories } from '../api/calls';
import { type ApiError, toApiError } from '../api/errors';
import type { Connection, RemoteRef } from '../api/types';
import { checkRepository } from '../model/checks';
import { Debounced } from '../model/debounced';
import { plural, shortRef } from '../model/format';
import { SelectField, TextField } from './fields';
import { announce, useQuery } from './hooks';
import { Note } from './parts';
import { Link } from './router';

export interface Refs {
  refs: RemoteRef[];
  defaultBranch: string;
}

export type RefsState = { state: 'none' } | { state: 'asking' } | { state: 'known'; value: Refs } | { state: 'failed'; error: ApiError };

const ASK_DELAY_MS = 400;

/** The refs of a repository, asked for some time after its name stopped changing. */
export function useRefs(connectionId: string, repository: string): RefsState {
  const [state, setState] = useState<RefsState>({ state: 'none' });
  const asker = useRef<Debounced<{ connectionId: string; repository: string }, Refs>>(null);
  asker.current ??= new Debounced(
    async (input, signal) => {
      const answer = await listRefs(input.connectionId, input.repository, signal);
      return { refs: answer.refs ?? [], defaultBranch: answer.default_branch ?? '' };
    },
    ASK_DELAY_MS,
    (value) => {
      setState({ state: 'known', value });
      announce(describeRefs(value));
    },
    (thrown) => setState({ state: 'failed', error: toApiError(thrown) }),
  );
  useEffect(() => {
    if (!connectionId || checkRepository(repository)) {
      asker.current!.cancel();
      setState({ state: 'none' });
      return;
    }
    setState({ state: 'asking' });
    asker.current!.set({ connectionId, repository });
  }, [connectionId, repository]);
  useEffect(() => () => asker.current?.cancel(), []);
  return state;
}

/** Repositories to suggest for what was typed so far; none where the server cannot list them. */
function useRepositories(connection: Connection | undefined, typed: string): string[] {
  const [paths, setPaths] = useState<string[]>([]);
  const id = connection && connection.provider !== 'PROVIDER_GENERIC_GIT' ? (connection.id ?? '') : '';
  const asker = useRef<Debounced<{ id: string; typed: string }, string[]>>(null);
  asker.current ??= new Debounced(
    async (input, signal) => (await listRepositories(input.id, input.typed, signal)).filter((one) => !one.archived).map((one) => one.path ?? ''),
    ASK_DELAY_MS,
    setPaths,
    // A suggestion that is missing is no error: the refs' question says what is wrong.
    () => setPaths([]),
  );
  useEffect(() => {
    if (!id) {
      asker.current!.cancel();
      setPaths([]);
    } else asker.current!.set({ id, typed });
  }, [id, typed]);
  useEffect(() => () => asker.current?.cancel(), []);
  return paths;
}

function describeRefs({ refs, defaultBranch }: Refs): string {
  const tags = refs.filter((ref) => ref.name?.startsWith('refs/tags/')).length;
  const branches = refs.filter((ref) => ref.name?.startsWith('refs/heads/')).length;
  const head = shortRef(defaultBranch).name;
  return `${plural(branches, 'branch', 'branches')}, ${plural(tags, 'tag')}${head ? `; the default is ${head}` : ''}`;
}

/** Connection and repository, with what the server says of them. `fixed`: they are shown, not changed. */
export function RepositoryFields(props: {
  connectionId: string; repository: string; refs: RefsState; insist: boolean; fixed?: boolean; onConnection: (id: string) => void; onRepository: (path: string) => void; problem?: string;
}) {
  const connections = useQuery('connections', listConnections);
  const list: Connection[] = connections.value ?? [];
  const { connectionId, onConnection } = props;
  useEffect(() => {
    if (!connectionId && list.length === 1) onConnection(list[0]!.id ?? '');
  }, [list.length, connectionId]);
  const suggestions = useRepositories(props.fixed ? undefined : list.find((one) => one.id === connectionId), props.repository);
  if (connections.value && list.length === 0) {
    return <Note tone="warn"><p>There is no connection yet. <Link href="/connections/new">Connect the git server</Link> that the repository is on.</p></Note>;
  }
  const localProblem = checkRepository(props.repository);
  const failed = props.refs.state === 'failed' ? props.refs.error : undefined;
  return (
    <div class="field-row">
      <SelectField
        label="Connection" value={connectionId} disabled={props.fixed} insist={props.insist} problem={connectionId ? '' : 'Choose the git server.'} onInput={onConnection}
        options={[...(connectionId ? [] : [{ value: '', label: connections.value ? 'Choose…' : 'Loading…' }]), ...list.map((one) => ({ value: one.id ?? '', label: one.display_name ?? '' }))]}
      />
      <TextField
        label="Repository" mono value={props.repository} disabled={props.fixed} insist={props.insist || failed !== undefined} placeholder="team/app" problem={localProblem || props.problem || failed?.message || ''}
        hint={
          props.refs.state === 'asking' ? 'Looking for it…'
            : props.refs.state === 'known' ? <span class="found">Found: {describeRefs(props.refs.value)}.</span>
              : failed?.code === 'FAILED_PRECONDITION' ? <Link href={`/connections/${encodeURIComponent(connectionId)}`}>Look at the connection’s token</Link>
                : failed?.code === 'NOT_FOUND' ? 'Check its spelling, and that the connection’s token may read it.' : 'Its path below the connection’s URL.'
        }
        onInput={props.onRepository} suggestions={suggestions}
      />
    </div>
  );
}
