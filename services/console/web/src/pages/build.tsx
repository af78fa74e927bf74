// One build: what it makes, how far it is, its log. Follows it until it has ended.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { cancelBuild, explainQueue, getBuild, listConnections, listRules, newRequestId, retryBuild } from '../api/calls';
import { mayAct } from '../api/client';
import { type StreamStatus, watchBuild } from '../api/streams';
import type { Build, BuildAttempt } from '../api/types';
import { useLog } from '../log/use_log';
import { LogView } from '../log/log_view';
import { describe, imageReferences, lookOf, outcomeLabel, runTime, sourceName } from '../model/build_state';
import { formatBytes, formatDuration, formatTime, minutesOfDuration, shortCommit, shortId } from '../model/format';
import { formatPairs } from '../model/checks';
import { Confirm } from '../ui/dialog';
import { Segments } from '../ui/fields';
import { announce, useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { CommitIcon, RetryIcon, StopIcon } from '../ui/icons';
import { Ago, Badge, Button, Copyable, ErrorNote, Facts, Note, PageHead, RefName, Skeleton, StateMark } from '../ui/parts';
import { Link, navigate } from '../ui/router';
import { TimelineChart } from '../ui/timeline_chart';

export function BuildPage({ id }: { id: string }) {
  const query = useQuery(id, (signal) => getBuild(id, signal));
  const build = query.value;
  useTitle(build ? `${describe(build)}: ${sourceName(build)}` : 'Build');
  const status = useFollowed(id, build, query.set);
  const look = lookOf(build?.state);
  const now = useNow(build && !look.ended ? 1000 : 60_000);

  if (!build) {
    return (
      <>
        <PageHead title="Build" back={{ href: '/builds', label: 'Builds' }} />
        {query.error ? <ErrorNote error={query.error} retry={query.reload} /> : <Skeleton />}
      </>
    );
  }
  const ran = runTime(build, now);
  return (
    <>
      <PageHead
        back={{ href: '/builds', label: 'Builds' }}
        title={<span class="build-title"><bdi>{sourceName(build)}</bdi> <StateMark build={build} size="large" /></span>}
        lead={
          <span class="lead-facts">
            {build.spec?.git && <><RefName name={build.spec.git.ref} /><span class="commit" title={build.spec.git.commit}><CommitIcon /><code>{shortCommit(build.spec.git.commit)}</code></span></>}
            <span>{ran === null ? 'not begun' : formatDuration(ran)}</span>
            <span>made <Ago time={build.create_time} now={now} /></span>
            {build.origin?.requested_by && <span>by <bdi>{build.origin.requested_by}</bdi></span>}
            {status === 'broken' && !look.ended && <span class="tone-warn">not live: trying again</span>}
          </span>
        }
        actions={<Actions build={build} onBuild={query.set} />}
      />
      {query.error && <ErrorNote error={query.error} retry={query.reload} what="This page is not fresh" />}
      <Outcome build={build} now={now} />
      <div class="build-columns">
        <section class="card" aria-labelledby="timeline-title">
          <h2 id="timeline-title">Timeline</h2>
          <TimelineChart build={build} now={now} />
        </section>
        <Image build={build} />
      </div>
      <LogSection build={build} />
      <Details build={build} now={now} />
    </>
  );
}

/** Follows the build while it has not ended; says changes of its state aloud. */
function useFollowed(id: string, build: Build | undefined, onBuild: (build: Build) => void): StreamStatus {
  const [status, setStatus] = useState<StreamStatus>('connecting');
  const said = useRef<string | undefined>(undefined);
  const loaded = build !== undefined;
  const ended = lookOf(build?.state).ended;
  useEffect(() => {
    if (!loaded || ended) return undefined;
    return watchBuild(id, (next) => {
      onBuild(next);
      return lookOf(next.state).ended ? 'end' : undefined;
    }, setStatus);
  }, [id, loaded, ended]);
  useEffect(() => {
    if (!build) return;
    const text = describe(build);
    if (said.current !== undefined && said.current !== text) announce(`Build: ${text}`);
    said.current = text;
  }, [build]);
  return status;
}

function Actions({ build, onBuild }: { build: Build; onBuild: (build: Build) => void }) {
  const [asking, setAsking] = useState(false);
  const [requestId] = useState(newRequestId);
  const cancel = useAction(async () => {
    const next = await cancelBuild(build.id ?? '');
    onBuild({ ...build, ...next, attempts: next.attempts ?? build.attempts, transitions: next.transitions ?? build.transitions });
    setAsking(false);
    announce('Cancellation asked for.');
  });
  const retry = useAction(async () => {
    const next = await retryBuild(build.id ?? '', requestId);
    navigate(`/builds/${encodeURIComponent(next.id ?? '')}`);
  });
  if (!mayAct('developer')) return null;
  const ended = lookOf(build.state).ended;
  const cancellable = !ended && build.state !== 'BUILD_STATE_PUBLISHING';
  return (
    <>
      {cancellable && <Button onClick={() => setAsking(true)} disabled={build.cancel_requested}><StopIcon /> {build.cancel_requested ? 'Cancelling…' : 'Cancel'}</Button>}
      {ended && <Button kind={build.state === 'BUILD_STATE_SUCCEEDED' ? 'plain' : 'primary'} onClick={() => void retry.run()} busy={retry.busy}><RetryIcon /> Build again</Button>}
      {retry.error && <ErrorNote error={retry.error} />}
      {asking && (
        <Confirm title="Cancel this build?" action="Cancel the build" busy={cancel.busy} error={cancel.error} onConfirm={() => void cancel.run()} onClose={() => setAsking(false)}>
          <p>It stops within seconds and no tag moves. You can build the same commit again later.</p>
        </Confirm>
      )}
    </>
  );
}

/** What stands between the build and its image: why it waits, or why it failed. */
function Outcome({ build, now }: { build: Build; now: number }) {
  const waiting = build.state === 'BUILD_STATE_QUEUED';
  const tenSeconds = waiting ? Math.floor(now / 10_000) : 0;
  const reason = useQuery(waiting ? `${build.id} ${tenSeconds}` : '', async (signal) => (waiting ? explainQueue(build.id ?? '', signal).catch(() => undefined) : undefined));
  const lastReason = useRef(reason.value);
  if (reason.value) lastReason.current = reason.value;
  if (waiting) {
    const explanation = lastReason.current;
    return (
      <Note tone={explanation?.reason === 'REASON_NO_AGENT' ? 'warn' : 'neutral'}>
        <p><strong>Waiting{Number(explanation?.position ?? 0) > 0 ? `, number ${explanation!.position} of this project` : ''}.</strong> {explanation?.detail}</p>
        {explanation?.reason === 'REASON_NO_AGENT' && <p>Start a builder-agent, or look at <Link href="/settings/agents">the agents</Link>.</p>}
        {explanation?.not_before && <p>Tried again not before {formatTime(explanation.not_before)}.</p>}
      </Note>
    );
  }
  if (build.state === 'BUILD_STATE_FAILED' || build.state === 'BUILD_STATE_TIMED_OUT') {
    const user = build.failure?.failure_class === 'FAILURE_CLASS_USER';
    return (
      <Note tone="bad">
        <p class="failure"><strong>{build.failure?.message || (build.state === 'BUILD_STATE_TIMED_OUT' ? 'It took longer than it may.' : 'It failed without saying why.')}</strong></p>
        <p>{build.state === 'BUILD_STATE_TIMED_OUT' ? 'The last lines of the log show what it was doing. Give it more time in its rule, or make it faster.' : user ? 'The same again would fail the same way: correct it and push. The log shows more.' : 'This was not the commit’s fault: build it again, and ask your operator if it stays.'}</p>
      </Note>
    );
  }
  if (build.state === 'BUILD_STATE_SUPERSEDED' && build.superseded_by) {
    return <Note><p>A newer build of the same rule took its place, as the rule says: <Link href={`/builds/${build.superseded_by}`}>{build.superseded_by}</Link>. Nothing was tagged by this one.</p></Note>;
  }
  if (build.state === 'BUILD_STATE_SUPERSEDED') return <Note><p>The image is there under its digest, but newer builds had set all of its tags already, and tags never move backwards.</p></Note>;
  if (build.state === 'BUILD_STATE_HELD') return <Note><p>This build waits for an approval.</p></Note>;
  return null;
}

function Image({ build }: { build: Build }) {
  const references = imageReferences(build);
  const tags = build.tag_results?.length ? build.tag_results : (build.spec?.tags ?? []).map((tag) => ({ tag, set: undefined }));
  return (
    <section class="card" aria-labelledby="image-title">
      <h2 id="image-title">Image</h2>
      {references ? (
        <>
          <Copyable text={references.byTag} what="the image reference" />
          <Copyable text={references.byDigest} what="the image reference with its digest" />
        </>
      ) : (
        <p class="muted">Goes to <code><bdi>{build.spec?.destination?.repository}</bdi></code>{lookOf(build.state).ended ? ', but was not pushed.' : ' when it is built.'}</p>
      )}
      {tags.length > 0 && (
        <ul class="tags" aria-label="Tags">
          {tags.map((result) => (
            <li key={result.tag} class={result.set === false ? 'off' : result.set ? 'on' : ''} title={result.set === false ? 'A newer build had set this tag already' : result.set ? 'Set to this image' : 'To be set'}>
              <bdi>{result.tag}</bdi>{result.set === false && <span class="sr-only"> (newer build kept it)</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function LogSection({ build }: { build: Build }) {
  const attempts = build.attempts ?? [];
  const newest = attempts.reduce((highest, attempt) => Math.max(highest, attempt.number ?? 0), 0);
  const [chosen, setChosen] = useState(0);
  const number = chosen || newest;
  const attempt = attempts.find((candidate) => candidate.number === number);
  const log = useLog(build.id ?? '', number);
  const status = (() => {
    if (number === 0) return '';
    if (log.status === 'ended') return log.complete ? 'complete' : <span class="tone-warn">ended; the agent’s last lines may be missing</span>;
    return log.status === 'live' ? <span class="liveness live"><span class="dot" aria-hidden="true" />live</span> : log.status === 'broken' ? 'connection lost: trying again' : 'loading…';
  })();
  const empty = number === 0
    ? lookOf(build.state).ended ? 'There is no log: no agent began this build.' : 'The log begins when an agent takes the build.'
    : log.status === 'ended' ? 'This attempt wrote nothing.' : 'Waiting for the first lines…';
  return (
    <section class="log-section" aria-labelledby="log-title">
      <div class="section-head">
        <h2 id="log-title">Log</h2>
        {attempts.length > 1 && (
          <Segments label="Attempt" value={String(number)} options={attempts.map((one) => ({ key: String(one.number), label: `Attempt ${one.number}` }))} onChange={(key) => setChosen(Number(key) === newest ? 0 : Number(key))} />
        )}
        {attempt && attempts.length > 1 && <AttemptRemark attempt={attempt} />}
      </div>
      <LogView key={number} model={log.model} version={log.version} fileName={`${build.id}-${number}.log`} status={status} empty={empty} />
    </section>
  );
}

function AttemptRemark({ attempt }: { attempt: BuildAttempt }) {
  const outcome = outcomeLabel(attempt);
  return <span class="muted"><Badge tone={outcome.tone}>{outcome.label}</Badge>{attempt.failure?.message && <> <bdi>{attempt.failure.message}</bdi></>}</span>;
}

function Details({ build, now }: { build: Build; now: number }) {
  const rules = useQuery('rules', (signal) => listRules(signal).catch(() => []));
  const connections = useQuery('connections', (signal) => listConnections(signal).catch(() => []));
  const { spec, origin } = build;
  const recipe = spec?.recipe;
  const link = (href: string, text: ComponentChildren) => <Link href={href}>{text}</Link>;
  const ruleName = rules.value?.find((rule) => rule.id === origin?.rule_id)?.display_name;
  const connectionName = connections.value?.find((connection) => connection.id === spec?.git?.connection_id)?.display_name;
  const pairs = (text: string) => text && <pre class="inline-pre">{text}</pre>;
  return (
    <div class="build-columns">
      <section class="card" aria-labelledby="source-title">
        <h2 id="source-title">What was built</h2>
        <Facts
          items={[
            ['Build', <Copyable text={build.id ?? ''} what="the build’s id" />],
            ['Commit', spec?.git?.commit && <Copyable text={spec.git.commit} what="the commit" />],
            ['Ref', spec?.git?.ref && <code><bdi>{spec.git.ref}</bdi></code>],
            ['Connection', spec?.git?.connection_id && link(`/connections/${spec.git.connection_id}`, <bdi>{connectionName ?? shortId(spec.git.connection_id)}</bdi>)],
            ['Upload', spec?.upload?.upload_id && <code>{spec.upload.upload_id}</code>],
            ['Rule', origin?.rule_id && link(`/rules/${origin.rule_id}`, <bdi>{ruleName ?? shortId(origin.rule_id)}</bdi>)],
            ['Event', origin?.event_id && link(`/events/${origin.event_id}`, <code>{shortId(origin.event_id)}</code>)],
            ['Repeats', origin?.retry_of && link(`/builds/${origin.retry_of}`, <code>{shortId(origin.retry_of)}</code>)],
            ['Dockerfile', recipe?.dockerfile_path && <code><bdi>{recipe.dockerfile_path}</bdi></code>],
            ['Context', recipe?.context_dir && <code><bdi>{recipe.context_dir}</bdi></code>],
            ['Stage', recipe?.target && <code><bdi>{recipe.target}</bdi></code>],
            ['Platform', recipe?.platform && <code><bdi>{recipe.platform}</bdi></code>],
            ['Build arguments', pairs(formatPairs(recipe?.build_args))],
            ['Labels', pairs(formatPairs(recipe?.labels))],
            ['Time-out', minutesOfDuration(recipe?.timeout) > 0 && `${minutesOfDuration(recipe?.timeout)} min`],
          ]}
        />
      </section>
      <section class="card" aria-labelledby="attempts-title">
        <h2 id="attempts-title">Attempts</h2>
        {(build.attempts ?? []).length === 0 && <p class="muted">None yet.</p>}
        <ol class="attempts">
          {(build.attempts ?? []).map((attempt) => {
            const outcome = outcomeLabel(attempt);
            const from = Date.parse(attempt.start_time ?? '');
            const to = attempt.end_time ? Date.parse(attempt.end_time) : now;
            return (
              <li key={attempt.number}>
                <span class="row"><strong>{attempt.number}</strong> <Badge tone={outcome.tone}>{outcome.label}</Badge> <span class="muted">on <bdi>{attempt.agent_name}</bdi>, {formatDuration(to - from)}, {formatBytes(Number(attempt.log_size ?? 0))} of log</span></span>
                {attempt.failure?.message && <p class="small"><bdi>{attempt.failure.message}</bdi></p>}
                <p class="small muted">{formatTime(attempt.start_time)}{attempt.end_time && <> to {formatTime(attempt.end_time)}</>}</p>
              </li>
            );
          })}
        </ol>
      </section>
    </div>
  );
}
