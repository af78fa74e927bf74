// The app's frame: sign-in or the shell around a page, and which page an address is.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { currentSession, loadSession, onSessionChange, setProject, signOut } from './api/client';
import { type ApiError, toApiError } from './api/errors';
import type { Session } from './api/types';
import { setAnnouncer } from './ui/hooks';
import { AutoIcon, Brand, BuildsIcon, ConnectionsIcon, EventsIcon, MoonIcon, OutIcon, PlusIcon, RulesIcon, SettingsIcon, SunIcon } from './ui/icons';
import { Button, ErrorNote, PageHead, Skeleton } from './ui/parts';
import { Link, matchPath, navigate, useLocation } from './ui/router';
import { chooseTheme, chosenTheme, showTheme, type Theme } from './ui/theme';
import { BuildPage } from './pages/build';
import { BuildsPage } from './pages/builds';
import { ConnectionPage } from './pages/connection';
import { ConnectionsPage, NewConnectionPage } from './pages/connections';
import { EventPage, EventsPage } from './pages/events';
import { NewBuildPage } from './pages/new_build';
import { RulePage } from './pages/rule_form';
import { RulesPage } from './pages/rules';
import { SettingsPage } from './pages/settings';
import { SignInPage } from './pages/sign_in';

showTheme(chosenTheme());

const ROUTES: { pattern: string; page: (parts: Record<string, string>) => ComponentChildren }[] = [
  { pattern: '/builds', page: () => <BuildsPage /> },
  { pattern: '/builds/:id', page: ({ id }) => <BuildPage key={id} id={id!} /> },
  { pattern: '/new', page: () => <NewBuildPage source="repository" /> },
  { pattern: '/new/upload', page: () => <NewBuildPage source="upload" /> },
  { pattern: '/rules', page: () => <RulesPage /> },
  { pattern: '/rules/new', page: () => <RulePage key="new" id="" /> },
  { pattern: '/rules/:id', page: ({ id }) => <RulePage key={id} id={id!} /> },
  { pattern: '/events', page: () => <EventsPage /> },
  { pattern: '/events/:id', page: ({ id }) => <EventPage key={id} id={id!} /> },
  { pattern: '/connections', page: () => <ConnectionsPage /> },
  { pattern: '/connections/new', page: () => <NewConnectionPage /> },
  { pattern: '/connections/:id', page: ({ id }) => <ConnectionPage key={id} id={id!} /> },
  { pattern: '/settings', page: () => <SettingsPage section="registries" /> },
  { pattern: '/settings/:section', page: ({ section }) => <SettingsPage section={section!} /> },
];

export function App() {
  const [session, setSession] = useState<Session | null>(currentSession());
  const [state, setState] = useState<'loading' | 'ready'>('loading');
  const [error, setError] = useState<ApiError>();
  const { path } = useLocation();
  const hadSession = useRef(false);

  const look = () => {
    setError(undefined);
    loadSession().then(() => setState('ready'), (thrown: unknown) => setError(toApiError(thrown)));
  };
  useEffect(() => onSessionChange((next) => {
    if (next) hadSession.current = true;
    setSession(next);
  }), []);
  useEffect(look, []);
  useEffect(() => {
    if (path === '/') navigate('/builds', 'replace');
  }, [path]);

  if (error) return <main class="sign-in"><ErrorNote error={error} retry={look} /></main>;
  if (state === 'loading') return <main class="sign-in"><Skeleton rows={3} /></main>;
  if (!session || path === '/sign-in') {
    return (
      <>
        <SignInPage ended={hadSession.current && path !== '/sign-in'} />
        <LiveRegion />
      </>
    );
  }
  return <Shell session={session} path={path} />;
}

function Shell({ session, path }: { session: Session; path: string }) {
  const everywhere = session.caller.project === '*';
  const [project, chooseProject] = useState(() => (everywhere ? (sessionStorage.getItem('davit.project') ?? '') : ''));
  setProject(project);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // After going to another page the focus moves to it, as it would with a page that the browser loads.
    if (!first.current && !(document.activeElement && main.current?.contains(document.activeElement))) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the page</a>
      <header class="side">
        <Link href="/builds" class="brand"><Brand /><span>Davit</span></Link>
        <Navigation path={path} />
        <div class="side-foot">
          {everywhere && <ProjectField value={project} onChange={(next) => { sessionStorage.setItem('davit.project', next); chooseProject(next); }} />}
          <div class="who" title={session.caller.display_name}>
            <bdi class="clip">{session.caller.display_name || 'Signed in'}</bdi>
            <span class="muted">{roleName(session.caller.role)}{session.caller.project && session.caller.project !== '*' ? ` · ${session.caller.project}` : ''}</span>
          </div>
          <ThemeSwitch />
          <Button kind="quiet" small label="Sign out" onClick={() => void signOut().catch(() => undefined)}><OutIcon /></Button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} key={project}>{pageOf(path)}</main>
      <LiveRegion />
    </div>
  );
}

function pageOf(path: string): ComponentChildren {
  for (const route of ROUTES) {
    const parts = matchPath(route.pattern, path);
    if (parts) return route.page(parts);
  }
  if (path === '/') return null;
  return <PageHead title="There is no such page" lead={<>Go to the <Link href="/builds">builds</Link>, or choose another page on the left.</>} />;
}

const PAGES = [
  { href: '/builds', label: 'Builds', sign: BuildsIcon },
  { href: '/rules', label: 'Rules', sign: RulesIcon },
  { href: '/events', label: 'Events', sign: EventsIcon },
  { href: '/connections', label: 'Connections', sign: ConnectionsIcon },
  { href: '/settings', label: 'Settings', sign: SettingsIcon },
];

function Navigation({ path }: { path: string }) {
  return (
    <nav aria-label="Pages">
      <Link href="/new" class="button primary new-build" aria-current={path.startsWith('/new') ? 'page' : undefined}><PlusIcon /><span>New build</span></Link>
      <ul>
        {PAGES.map(({ href, label, sign: Sign }) => (
          <li key={href}>
            <Link href={href} class="nav-link" aria-current={path === href || path.startsWith(`${href}/`) ? 'page' : undefined}><Sign /><span>{label}</span></Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function ProjectField({ value, onChange }: { value: string; onChange: (project: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <form class="project" onSubmit={(event) => { event.preventDefault(); onChange(text.trim()); }}>
      <label for="project-field">Project</label>
      <input id="project-field" value={text} placeholder="default" autoComplete="off" autoCapitalize="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} onBlur={() => text.trim() !== value && onChange(text.trim())} />
    </form>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const next: Theme = theme === 'auto' ? 'light' : theme === 'light' ? 'dark' : 'auto';
  const Sign = theme === 'auto' ? AutoIcon : theme === 'light' ? SunIcon : MoonIcon;
  const names = { auto: 'as the system', light: 'light', dark: 'dark' };
  return (
    <Button kind="quiet" small label={`Appearance: ${names[theme]}. Change to ${names[next]}`} onClick={() => { chooseTheme(next); setTheme(next); }}>
      <Sign />
    </Button>
  );
}

/** What is said to people who do not see the page; see announce(). */
function LiveRegion() {
  const [text, setText] = useState('');
  useEffect(() => {
    setAnnouncer((next) => setText((before) => (before === next ? `${next}\u00a0` : next)));
    return () => setAnnouncer(() => undefined);
  }, []);
  return <div class="sr-only" role="status" aria-live="polite">{text}</div>;
}

function roleName(role: string | undefined): string {
  const word = (role ?? '').replace('ROLE_', '').toLowerCase().replace('_', '-');
  return word === 'unspecified' ? '' : word;
}
