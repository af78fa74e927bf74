// What came in from the git servers, and what became of it.
import { useState } from 'preact/hooks';
import { getEvent, listEvents } from '../api/calls';
import type { Event, RuleExplanation } from '../api/types';
import { eventLook, headline, pushVerb, reasonLook } from '../model/explain';
import { formatTime, plural, shortCommit, shortId } from '../model/format';
import { useAction, useNow, useQuery, useTitle } from '../ui/hooks';
import { CommitIcon, SearchIcon } from '../ui/icons';
import { Ago, Badge, Button, ButtonLink, Copyable, Empty, ErrorNote, Facts, Note, PageHead, RefName, Skeleton } from '../ui/parts';
import { Link, setQuery, useLocation } from '../ui/router';

/** The list asks again this often. */
const REFRESH_MS = 10_000;

export function EventsPage() {
  useTitle('Events');
  const repository = useLocation().query.get('repository') ?? '';
  const tick = Math.floor(useNow(REFRESH_MS) / REFRESH_MS);
  const [typed, setTyped] = useState(repository);
  const [kept, setKept] = useState<{ of: string; events: Event[]; token: string } | null>(null);
  const [shown, setShown] = useState<{ of: string; events: Event[]; token: string } | null>(null);
  const page = useQuery(`${repository} ${tick}`, async (signal) => {
    const answer = await listEvents(repository, '', signal);
    setShown({ of: repository, events: answer.events ?? [], token: answer.next_page_token ?? '' });
    return answer;
  });
  const fresh = shown?.of === repository ? shown : null;
  const older = kept?.of === repository ? kept : null;
  const seen = new Set(fresh?.events.map((event) => event.id));
  const events = (fresh?.events ?? []).concat((older?.events ?? []).filter((event) => !seen.has(event.id)));
  const token = older ? older.token : (fresh?.token ?? '');
  const more = useAction(async () => {
    const answer = await listEvents(repository, token);
    setKept({ of: repository, events: (older?.events ?? []).concat(answer.events ?? []), token: answer.next_page_token ?? '' });
  });
  const now = useNow(30_000);
  return (
    <>
      <PageHead title="Events" lead="Every push that came in, and what became of it." />
      <div class="filters">
        <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); setQuery('repository', typed.trim()); }}>
          <SearchIcon />
          <input type="search" aria-label="Only this repository" placeholder="Repository, for example team/app" value={typed} spellcheck={false} autoCapitalize="off" onInput={(event) => setTyped(event.currentTarget.value)} onBlur={() => typed.trim() !== repository && setQuery('repository', typed.trim())} />
        </form>
      </div>
      {page.error && <ErrorNote error={page.error} retry={page.reload} />}
      {!fresh && page.loading && <Skeleton />}
      {fresh && events.length === 0 && (repository
        ? <Empty title="No event of this repository" action={<ButtonLink href="/events">Show all events</ButtonLink>}>Check the spelling: its whole path as the git server spells it.</Empty>
        : <Empty title="Nothing has come in yet" action={<ButtonLink href="/connections">Look at the connections</ButtonLink>}>Events come from webhooks. Open a connection, make a webhook there, and put its address and secret into the git server’s settings.</Empty>)}
      {events.length > 0 && (
        <ul class="table events">
          <li class="table-head" aria-hidden="true"><span>Outcome</span><span>Repository</span><span>Ref and commit</span><span class="right">Received</span></li>
          {events.map((event) => <Row key={event.id} event={event} now={now} />)}
        </ul>
      )}
      {more.error && <ErrorNote error={more.error} />}
      {token && events.length > 0 && <div class="row center"><Button onClick={() => void more.run()} busy={more.busy}>Older events</Button></div>}
    </>
  );
}

function Row({ event, now }: { event: Event; now: number }) {
  const look = eventLook(event);
  const line = headline(event);
  return (
    <li class="table-row">
      <span class="cell-source"><span><Badge tone={look.tone}>{look.label}</Badge></span><span class="muted small"><bdi>{event.detail}</bdi></span></span>
      <span class="cell-source">
        <Link href={`/events/${encodeURIComponent(event.id ?? '')}`} class="row-link"><bdi class="clip">{event.push?.repository || shortId(event.id)}</bdi></Link>
        <span class="muted small clip">{pushVerb(event)}{event.push?.pusher && <> by <bdi>{event.push.pusher}</bdi></>}</span>
      </span>
      <span class="cell-ref">
        <RefName name={event.push?.ref} />
        <span class="commit muted"><CommitIcon /><code>{shortCommit(event.push?.after)}</code>{line && <bdi class="clip">{line}</bdi>}</span>
      </span>
      <span class="right muted"><Ago time={event.receive_time} now={now} /></span>
    </li>
  );
}

/** Until an event was evaluated its page asks again this often. */
const PENDING_MS = 1500;

export function EventPage({ id }: { id: string }) {
  const [settled, setSettled] = useState(false);
  const tick = Math.floor(useNow(settled ? 0 : PENDING_MS) / PENDING_MS);
  const [event, setEvent] = useState<Event>();
  const query = useQuery(settled ? id : `${id} ${tick}`, async (signal) => {
    if (settled) return;
    const answer = await getEvent(id, signal);
    setEvent(answer);
    const pending = answer.state === 'STATE_RECEIVED' || answer.explanations?.some((one) => one.reason === 'REASON_MATCHED' && !one.build_id);
    setSettled(!pending);
  });
  useTitle(event?.push?.repository ? `Event of ${event.push.repository}` : 'Event');
  const back = { href: '/events', label: 'Events' };
  if (!event) {
    return (
      <>
        <PageHead title="Event" back={back} />
        {query.error ? <ErrorNote error={query.error} retry={query.reload} /> : <Skeleton />}
      </>
    );
  }
  const look = eventLook(event);
  const push = event.push ?? {};
  return (
    <>
      <PageHead back={back} title={<span class="build-title"><bdi>{push.repository}</bdi> <Badge tone={look.tone}>{look.label}</Badge></span>} lead={<span class="lead-facts"><RefName name={push.ref} /><span>{pushVerb(event)}{push.pusher && <> by <bdi>{push.pusher}</bdi></>}</span><span>{formatTime(event.receive_time)}</span></span>} />
      {query.error && <ErrorNote error={query.error} retry={query.reload} />}
      {event.detail && <Note><p><bdi>{event.detail}</bdi></p></Note>}
      <section class="card" aria-labelledby="rules-title">
        <h2 id="rules-title">What each rule made of it</h2>
        {(event.explanations ?? []).length === 0 && (
          <p class="muted">{event.state === 'STATE_RECEIVED' ? 'The rules have not looked at it yet.' : <>No rule for this repository. <Link href={`/rules/new?connection=${encodeURIComponent(event.connection_id ?? '')}&repository=${encodeURIComponent(push.repository ?? '')}`}>Make one</Link> and later pushes build.</>}</p>
        )}
        <ul class="explanations">{(event.explanations ?? []).map((one) => <Explanation key={one.rule_id} one={one} />)}</ul>
      </section>
      <div class="build-columns">
        <section class="card" aria-labelledby="commits-title">
          <h2 id="commits-title">{plural((push.commits ?? []).length, 'commit')}{push.commits_truncated && ', not all of them'}</h2>
          <ol class="commits">
            {[...(push.commits ?? [])].reverse().slice(0, 50).map((commit) => (
              <li key={commit.id}><code class="muted">{shortCommit(commit.id)}</code> <bdi>{(commit.message ?? '').split('\n', 1)[0]}</bdi> <span class="muted small"><bdi>{commit.author_name}</bdi></span></li>
            ))}
          </ol>
        </section>
        <section class="card" aria-labelledby="delivery-title">
          <h2 id="delivery-title">Delivery</h2>
          <Facts
            items={[
              ['Event', <Copyable text={event.id ?? ''} what="the event’s id" />],
              ['Kind', event.kind === 'KIND_MANUAL' ? 'triggered by hand' : event.kind === 'KIND_RECONCILED' ? 'found by comparing refs: its webhook did not come' : 'webhook'],
              ['Before', push.before && <code>{shortCommit(push.before)}</code>],
              ['After', push.after && <Copyable text={push.after} what="the commit" />],
              ['Delivery id', event.delivery_id && <code><bdi>{event.delivery_id}</bdi></code>],
              ['Webhook', event.webhook_id && <code>{shortId(event.webhook_id)}</code>],
              ['Connection', event.connection_id && <Link href={`/connections/${encodeURIComponent(event.connection_id)}`}>{shortId(event.connection_id)}</Link>],
              ['Evaluated', event.evaluate_time && formatTime(event.evaluate_time)],
            ]}
          />
          {Object.keys(event.headers ?? {}).length > 0 && (
            <details class="more"><summary>Headers</summary><pre class="inline-pre">{Object.entries(event.headers!).map(([name, value]) => `${name}: ${value}`).join('\n')}</pre></details>
          )}
        </section>
      </div>
    </>
  );
}

function Explanation({ one }: { one: RuleExplanation }) {
  const look = reasonLook(one.reason);
  return (
    <li>
      <Badge tone={look.tone}>{look.label}</Badge>
      <div class="grow">
        <p><Link href={`/rules/${encodeURIComponent(one.rule_id ?? '')}`}><bdi>{one.rule_display_name || shortId(one.rule_id)}</bdi></Link></p>
        {one.detail && <p class="small muted"><bdi>{one.detail}</bdi></p>}
        {(one.tags ?? []).length > 0 && <ul class="tags" aria-label="Tags">{one.tags!.map((tag) => <li key={tag}><bdi>{tag}</bdi></li>)}</ul>}
      </div>
      {one.build_id && <ButtonLink small href={`/builds/${encodeURIComponent(one.build_id)}`}>{one.reason === 'REASON_ALREADY_BUILT' ? 'Earlier build' : 'Build'}</ButtonLink>}
    </li>
  );
}
