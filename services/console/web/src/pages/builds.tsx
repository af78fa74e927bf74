// The list of builds, newest first, which changes by itself.
import { useEffect, useRef, useState } from 'preact/hooks';
import { listBuilds, listRules } from '../api/calls';
import { mayAct } from '../api/client';
import { toApiError } from '../api/errors';
import { type StreamStatus, watchBuilds } from '../api/streams';
import type { Build } from '../api/types';
import { describe, lookOf, runTime, sourceName, STATE_FILTERS } from '../model/build_state';
import { formatDuration, shortCommit, shortId } from '../model/format';
import { Segments } from '../ui/fields';
import { announce, useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { CommitIcon, PlusIcon, SearchIcon } from '../ui/icons';
import { Ago, Button, ButtonLink, Empty, ErrorNote, PageHead, RefName, Skeleton, StateMark, Steps } from '../ui/parts';
import { Link, setQuery, useLocation } from '../ui/router';

/** Changes of the whole list come at most this often when a filter makes them a question to the server. */
const REFETCH_MS = 1000;

export function BuildsPage() {
  useTitle('Builds');
  const { query } = useLocation();
  const stateKey = STATE_FILTERS.find((filter) => filter.key === query.get('state'))?.key ?? '';
  const repository = query.get('repository') ?? '';
  const ruleId = query.get('rule') ?? '';
  const states = STATE_FILTERS.find((filter) => filter.key === stateKey)!.states;
  const filtered = stateKey !== '' || repository !== '' || ruleId !== '';
  const first = useQuery(`${stateKey} ${repository} ${ruleId}`, (signal) => listBuilds({ states, repository, rule_id: ruleId }, '', signal));
  const [older, setOlder] = useState<{ of: string; builds: Build[]; token: string } | null>(null);
  const key = `${stateKey} ${repository} ${ruleId}`;
  const more = older?.of === key ? older : null;
  const status = useLive(filtered, first);

  const newest = first.value?.builds ?? [];
  const seen = new Set(newest.map((build) => build.id));
  const builds = newest.concat((more?.builds ?? []).filter((build) => !seen.has(build.id)));
  const nextToken = more ? more.token : (first.value?.next_page_token ?? '');
  const loadMore = useAction(async () => {
    const page = await listBuilds({ states, repository, rule_id: ruleId }, nextToken);
    setOlder({ of: key, builds: (more?.builds ?? []).concat(page.builds ?? []), token: page.next_page_token ?? '' });
  });
  const now = useNow(builds.some((build) => !lookOf(build.state).ended) ? 1000 : 30_000);

  return (
    <>
      <PageHead title="Builds" actions={<Liveness status={status} />} />
      <div class="filters">
        <Segments label="State" value={stateKey} options={STATE_FILTERS} onChange={(next) => setQuery('state', next)} />
        <RepositoryFilter value={repository} />
        {ruleId && <RuleFilter id={ruleId} />}
      </div>
      {first.error && <ErrorNote error={first.error} retry={first.reload} what={builds.length > 0 ? 'This list is not fresh' : undefined} />}
      {!first.value && first.loading && <Skeleton rows={8} />}
      {first.value && builds.length === 0 && (filtered ? <NothingMatches /> : <NothingYet />)}
      {builds.length > 0 && (
        <ul class="table builds">
          <li class="table-head" aria-hidden="true"><span>State</span><span>Source</span><span>Ref and commit</span><span>Phases</span><span class="right">Duration</span><span class="right">Created</span></li>
          {builds.map((build) => <Row key={build.id} build={build} now={now} />)}
        </ul>
      )}
      {loadMore.error && <ErrorNote error={loadMore.error} />}
      {nextToken && builds.length > 0 && <div class="row center"><Button onClick={() => void loadMore.run()} busy={loadMore.busy}>Older builds</Button></div>}
    </>
  );
}

/** Keeps the list fresh, and says aloud which builds ended. */
function useLive(filtered: boolean, first: { value: { builds?: Build[] } | undefined; set: (value: { builds?: Build[]; next_page_token?: string }) => void; reload: () => void }): StreamStatus {
  const [status, setStatus] = useState<StreamStatus>('connecting');
  const latest = useRef({ filtered, first });
  latest.current = { filtered, first };
  const known = useRef(new Map<string, string>());
  useEffect(() => {
    let timer = 0;
    const close = watchBuilds((builds) => {
      for (const build of builds ?? []) {
        const before = known.current.get(build.id ?? '');
        if (before && before !== build.state && lookOf(build.state).ended) announce(`Build of ${sourceName(build)}: ${describe(build)}`);
        known.current.set(build.id ?? '', build.state ?? '');
      }
      const { filtered: narrow, first: page } = latest.current;
      if (builds && !narrow && page.value) {
        page.set({ ...page.value, builds });
      } else {
        window.clearTimeout(timer);
        timer = window.setTimeout(() => latest.current.first.reload(), REFETCH_MS);
      }
    }, setStatus);
    return () => {
      close();
      window.clearTimeout(timer);
    };
  }, []);
  return status;
}

function Liveness({ status }: { status: StreamStatus }) {
  const text = { connecting: 'Connecting…', live: 'Live', broken: 'Not live: trying again' }[status];
  return <span class={`liveness ${status}`} role="status"><span class="dot" aria-hidden="true" />{text}</span>;
}

function Row({ build, now }: { build: Build; now: number }) {
  const ran = runTime(build, now);
  const git = build.spec?.git;
  return (
    <li class="table-row">
      <StateMark build={build} />
      <span class="cell-source">
        <Link href={`/builds/${encodeURIComponent(build.id ?? '')}`} class="row-link"><bdi class="clip">{sourceName(build)}</bdi></Link>
        <span class="muted small clip"><code>{shortId(build.id)}</code>{build.origin?.requested_by && <> by <bdi>{build.origin.requested_by}</bdi></>}</span>
      </span>
      <span class="cell-ref">
        {git ? (
          <>
            <RefName name={git.ref} />
            <span class="commit muted" title={git.commit}><CommitIcon /><code>{shortCommit(git.commit)}</code></span>
          </>
        ) : <span class="muted">uploaded context</span>}
      </span>
      <Steps build={build} />
      <span class="right number">{ran === null ? <span class="muted">–</span> : formatDuration(ran)}</span>
      <span class="right muted"><Ago time={build.create_time} now={now} /></span>
    </li>
  );
}

function RepositoryFilter({ value }: { value: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); setQuery('repository', text.trim()); }}>
      <SearchIcon />
      <input type="search" aria-label="Only this repository" placeholder="Repository, for example team/app" value={text} spellcheck={false} autoCapitalize="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
          if (event.currentTarget.value === '') setQuery('repository', '');
        }}
        onBlur={() => text.trim() !== value && setQuery('repository', text.trim())} />
    </form>
  );
}

function RuleFilter({ id }: { id: string }) {
  const rules = useQuery('rules', listRules);
  const name = rules.value?.find((rule) => rule.id === id)?.display_name ?? shortId(id);
  return <button type="button" class="chip" onClick={() => setQuery('rule', '')} aria-label={`Stop showing only builds of rule ${name}`}>rule <bdi>{name}</bdi> <span aria-hidden="true">×</span></button>;
}

function NothingMatches() {
  return <Empty title="No build matches" action={<ButtonLink href="/builds">Show all builds</ButtonLink>}>Choose another state, or another repository: its whole path as the git server spells it.</Empty>;
}

/** The first page that a new installation shows: it leads to the step that is missing. */
function NothingYet() {
  const rules = useQuery('rules', async (signal) => {
    try {
      return await listRules(signal);
    } catch (thrown) {
      if (toApiError(thrown).code === 'PERMISSION_DENIED') return [];
      throw thrown;
    }
  });
  if (rules.value && rules.value.length > 0) {
    return <Empty title="No builds yet" action={mayAct('developer') && <ButtonLink href="/new" kind="primary"><PlusIcon /> Build now</ButtonLink>}>Push to a repository that has a rule, and its build appears here by itself. Or start one by hand.</Empty>;
  }
  return (
    <Empty
      title="From nothing to an image in three steps"
      action={<>{mayAct('admin') && <ButtonLink href="/connections" kind="primary">Connect a git server</ButtonLink>}{mayAct('developer') && <ButtonLink href="/new/upload">Upload a Dockerfile</ButtonLink>}</>}
    >
      Connect your git server, make a rule for a repository, push. Or upload a Dockerfile and have its image built at once.
    </Empty>
  );
}
