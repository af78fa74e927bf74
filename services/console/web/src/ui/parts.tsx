// The small parts that pages are made of: buttons, states, copies, empty states, errors.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Build } from '../api/types';
import { adviceFor, type ApiError } from '../api/errors';
import { describe, lookOf, stepsOf, STEP_NAMES, type Tone } from '../model/build_state';
import { formatAgo, formatTime, shortRef } from '../model/format';
import { announce } from './hooks';
import { BranchIcon, CheckIcon, ClockIcon, CommitIcon, CopyIcon, CrossIcon, InfoIcon, LayersIcon, PauseIcon, SlashIcon, TagIcon, WarnIcon } from './icons';
import { Link } from './router';

type ButtonProps = {
  children: ComponentChildren;
  onClick?: (() => void) | undefined;
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  busy?: boolean;
  disabled?: boolean;
  label?: string;
  small?: boolean;
};

/** A button. `label` is what a screen reader says when the content is only an icon. */
export function Button({ children, onClick, kind = 'plain', type = 'button', busy, disabled, label, small }: ButtonProps) {
  return (
    <button type={type} class={`button ${kind} ${small ? 'small' : ''}`} onClick={onClick} disabled={disabled || busy} aria-busy={busy ? 'true' : undefined} aria-label={label} title={label}>
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ href, children, kind = 'plain', small }: { href: string; children: ComponentChildren; kind?: ButtonProps['kind']; small?: boolean }) {
  return <Link href={href} class={`button ${kind} ${small ? 'small' : ''}`}>{children}</Link>;
}

/** A coloured word. The tone never says more than the word. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}

/** A build's state: a sign and a word. */
export function StateMark({ build, size }: { build: Build; size?: 'large' }) {
  const look = lookOf(build.state);
  const sign = (() => {
    switch (build.state) {
      case 'BUILD_STATE_SUCCEEDED':
        return <CheckIcon />;
      case 'BUILD_STATE_FAILED':
        return <CrossIcon />;
      case 'BUILD_STATE_TIMED_OUT':
        return <ClockIcon />;
      case 'BUILD_STATE_CANCELLED':
        return <SlashIcon />;
      case 'BUILD_STATE_SUPERSEDED':
        return <LayersIcon />;
      case 'BUILD_STATE_HELD':
        return <PauseIcon />;
      case 'BUILD_STATE_RUNNING':
      case 'BUILD_STATE_PUBLISHING':
        return <span class="ring turning" />;
      default:
        return <span class="ring" />;
    }
  })();
  return (
    <span class={`state tone-${look.tone} ${size ?? ''}`}>
      <span class="state-sign" aria-hidden="true">{sign}</span>
      <span>{describe(build)}</span>
    </span>
  );
}

/** The steps of a build at a glance: four bars. */
export function Steps({ build }: { build: Build }) {
  const steps = stepsOf(build);
  const now = steps.findIndex((step) => step === 'now' || step === 'stopped');
  const text = now >= 0 ? `${steps[now] === 'now' ? 'in step' : 'ended in step'} ${now + 1} of 4: ${STEP_NAMES[now]}` : steps[0] === 'done' ? 'all four steps done' : 'not begun';
  return (
    <span class="steps" role="img" aria-label={`Phases: ${text}`} title={STEP_NAMES.map((name, i) => `${name}: ${steps[i]}`).join(' · ')}>
      {steps.map((step, i) => <span key={i} class={`step ${step}`} />)}
    </span>
  );
}

/** A ref with the sign of its kind. */
export function RefName({ name }: { name: string | undefined }) {
  const ref = shortRef(name);
  if (ref.kind === 'none') return <span class="muted">commit only</span>;
  const Sign = ref.kind === 'tag' ? TagIcon : ref.kind === 'branch' ? BranchIcon : CommitIcon;
  return (
    <span class="ref" title={name}>
      <Sign />
      <span class="sr-only">{ref.kind} </span>
      <bdi class="clip">{ref.name}</bdi>
    </span>
  );
}

/** How long ago; the whole time on hover. */
export function Ago({ time, now }: { time: string | undefined; now: number }) {
  return <time dateTime={time} title={formatTime(time)}>{formatAgo(time, now)}</time>;
}

/** Copies a text to the clipboard and says that it did. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<'' | 'done' | 'failed'>('');
  useEffect(() => {
    if (!state) return undefined;
    const timer = window.setTimeout(() => setState(''), 2000);
    return () => window.clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await copyText(text);
      setState('done');
      announce(`Copied ${what}.`);
    } catch {
      setState('failed');
      announce(`The browser did not let ${what} be copied: select it and copy it by hand.`);
    }
  };
  const label = state === 'done' ? 'Copied' : state === 'failed' ? 'Select it and copy it by hand' : `Copy ${what}`;
  return (
    <button type="button" class={`copy ${state}`} onClick={() => void copy()} aria-label={label} title={label}>
      {state === 'done' ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
}

/** The clipboard API needs https or localhost; elsewhere the old command works. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'sr-only';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (!done) throw new Error('copy refused');
}

/** A text in monospace with a button to copy it. */
export function Copyable({ text, what }: { text: string; what: string }) {
  return (
    <span class="copyable">
      <code class="clip" title={text}><bdi>{text}</bdi></code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

/** What a page shows when there is nothing: why, and the next step. */
export function Empty({ title, children, action }: { title: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <div class="row center">{action}</div>}
    </div>
  );
}

/** An error: what happened and what to do. */
export function ErrorNote({ error, retry, what }: { error: ApiError; retry?: () => void; what?: string }) {
  return (
    <div class="note bad" role="alert">
      <WarnIcon />
      <div class="grow">
        <p><strong>{what ? `${what}: ` : ''}{error.field ? `${error.field}: ` : ''}{error.message}</strong></p>
        <p>{adviceFor(error.code)}</p>
      </div>
      {retry && <Button small onClick={retry}>Try again</Button>}
    </div>
  );
}

/** A remark. */
export function Note({ tone = 'neutral', children }: { tone?: 'neutral' | 'warn' | 'bad' | 'good'; children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`}>
      {tone === 'warn' || tone === 'bad' ? <WarnIcon /> : tone === 'good' ? <CheckIcon /> : <InfoIcon />}
      <div class="grow">{children}</div>
    </div>
  );
}

/** Grey bars where a list will be. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="sr-only">Loading…</span>
      {Array.from({ length: rows }, (_, i) => <div key={i} class="skeleton-row" />)}
    </div>
  );
}

/** The heading of a page, with its actions. */
export function PageHead({ title, lead, actions, back }: { title: ComponentChildren; lead?: ComponentChildren; actions?: ComponentChildren; back?: { href: string; label: string } }) {
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <header class="page-head">
      <div class="grow">
        {back && <Link class="back" href={back.href}>← {back.label}</Link>}
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {actions && <div class="row">{actions}</div>}
    </header>
  );
}

/** Terms and their values. Values that are empty are left out. */
export function Facts({ items }: { items: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {items.filter(([, value]) => value !== '' && value != null && value !== false).map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
