// Draws a LogModel: only the lines that are in view (TanStack Virtual), with colours, line numbers, search, and following of the end while it grows.
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { plural } from '../model/format';
import { announce } from '../ui/hooks';
import { ChevronDownIcon, ChevronUpIcon, DownIcon, SaveIcon, SearchIcon, WrapIcon } from '../ui/icons';
import { cssColour, type Style } from './ansi';
import { type LogModel, markHits } from './log_model';

const LINE_HEIGHT = 20;
const SEARCH_DELAY_MS = 150;
/** Within this many pixels of the end counts as being there. */
const END_SLACK = 24;

interface Props {
  model: LogModel;
  /** Grows with every change of the model, so that the view draws again. */
  version: number;
  /** Name of the file that the log is saved to. */
  fileName: string;
  /** What the log's state is, for the bar below. */
  status: ComponentChildren;
  /** Shown in place of lines when there are none. */
  empty: string;
}

export function LogView({ model, version, fileName, status, empty }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const [wrap, setWrap] = useState(false);
  const [following, setFollowing] = useState(true);
  const follow = useRef(true);
  const lastTop = useRef(0);
  const search = useSearch(model, version);

  const [virtualizer] = useState(
    () => new Virtualizer<HTMLDivElement, HTMLDivElement>({ count: 0, getScrollElement: () => scroller.current, estimateSize: () => LINE_HEIGHT, scrollToFn: elementScroll, observeElementRect, observeElementOffset }),
  );
  virtualizer.setOptions({
    ...virtualizer.options,
    count: model.lineCount,
    overscan: 24,
    initialRect: { width: 800, height: 600 },
    onChange: () => draw(0),
  });
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [wrap, model]);

  const toEnd = () => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  const setFollow = (on: boolean) => {
    follow.current = on;
    setFollowing(on);
  };
  useLayoutEffect(() => {
    if (follow.current) toEnd();
  }, [version, virtualizer.getTotalSize()]);

  const onScroll = () => {
    const element = scroller.current!;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - END_SLACK;
    if (atEnd !== follow.current && (atEnd || element.scrollTop < lastTop.current)) setFollow(atEnd);
    lastTop.current = element.scrollTop;
  };

  const goToHit = (index: number) => {
    const line = search.select(index);
    if (line < 0) return;
    setFollow(false);
    virtualizer.scrollToIndex(line, { align: 'center' });
  };
  useEffect(() => {
    if (search.query && search.hits.length > 0 && search.fresh) goToHit(0);
  }, [search.query, search.fresh]);

  const save = () => {
    const url = URL.createObjectURL(new Blob([model.allText()], { type: 'text/plain;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = fileName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };

  const items = virtualizer.getVirtualItems();
  const digits = String(model.lineCount + model.dropped).length;
  return (
    <div class="log">
      <div class="log-bar" role="toolbar" aria-label="Log">
        <div class="log-search">
          <SearchIcon />
          <input
            ref={searchField} type="search" placeholder="Search the log" aria-label="Search the log" spellcheck={false} value={search.query}
            onInput={(event) => search.setQuery(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                event.preventDefault();
                goToHit(search.current + (event.shiftKey ? -1 : 1));
              } else if (event.key === 'Escape') search.setQuery('');
            }}
          />
          {search.query && (
            <>
              <span class="log-count" role="status">{search.hits.length === 0 ? 'nothing found' : `${search.current + 1} of ${plural(search.hits.length, 'line')}`}</span>
              <button type="button" class="icon-button" aria-label="Previous hit" title="Previous hit (Shift+Enter)" disabled={search.hits.length === 0} onClick={() => goToHit(search.current - 1)}><ChevronUpIcon /></button>
              <button type="button" class="icon-button" aria-label="Next hit" title="Next hit (Enter)" disabled={search.hits.length === 0} onClick={() => goToHit(search.current + 1)}><ChevronDownIcon /></button>
            </>
          )}
        </div>
        <button type="button" class="icon-button" aria-pressed={wrap} aria-label="Wrap long lines" title="Wrap long lines" onClick={() => setWrap(!wrap)}><WrapIcon /></button>
        <button type="button" class="icon-button" aria-label="Save the log as a file" title="Save the log as a file" disabled={model.lineCount === 0} onClick={save}><SaveIcon /></button>
      </div>
      <div
        ref={scroller} class={`log-lines ${wrap ? 'wrap' : ''}`} tabIndex={0} role="region" aria-label="Log lines" onScroll={onScroll}
        onKeyDown={(event) => {
          if (event.key === 'End') {
            event.preventDefault();
            setFollow(true);
            toEnd();
          } else if (event.key === '/') {
            event.preventDefault();
            searchField.current?.focus();
          }
        }}
      >
        {model.lineCount === 0 && <p class="log-empty">{empty}</p>}
        <div class="log-sizer" style={{ height: `${virtualizer.getTotalSize()}px`, minWidth: wrap ? '' : `calc(${model.width + digits}ch + 3rem)` }}>
          <div class="log-window" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
            {items.map((item) => (
              <div key={item.key} class={`log-line ${search.currentLine === item.index ? 'current' : ''}`} data-index={item.index} ref={wrap ? virtualizer.measureElement : undefined}>
                <span class="log-number" style={{ minWidth: `${digits}ch` }} data-n={item.index + 1 + model.dropped} />
                <span class="log-text"><Line model={model} index={item.index} needle={search.query} /></span>
              </div>
            ))}
          </div>
        </div>
      </div>
      {!following && (
        <button type="button" class="log-end button primary small" onClick={() => { setFollow(true); toEnd(); scroller.current?.focus({ preventScroll: true }); }}>
          <DownIcon /> Jump to end
        </button>
      )}
      <div class="log-foot">
        <span>{plural(model.lineCount + model.dropped, 'line')}{model.dropped > 0 && `, the first ${model.dropped.toLocaleString('en')} not kept here`}</span>
        <span>{status}</span>
      </div>
    </div>
  );
}

/** One line's text. All of it comes from the build and is only ever text. */
function Line({ model, index, needle }: { model: LogModel; index: number; needle: string }) {
  const spans = markHits(model.spans(index), needle);
  if (spans.length === 0) return <>{' '}</>;
  return (
    <>
      {spans.map((span, i) => {
        const { classes, style } = look(span.style);
        if (span.hit) return <mark key={i}>{span.text}</mark>;
        if (!classes && !style) return span.text;
        return <span key={i} class={classes || undefined} style={style}>{span.text}</span>;
      })}
    </>
  );
}

const EXACT_GREYS: Record<number, string> = { 0: '#000000', 7: '#d5dbe2', 8: '#59636f', 15: '#ffffff' };

function look(style: Style): { classes: string; style: { color?: string; backgroundColor?: string } | undefined } {
  const classes = [style.bold && 'a-bold', style.dim && 'a-dim', style.italic && 'a-italic', style.underline && 'a-underline', style.strike && 'a-strike'].filter(Boolean).join(' ');
  // On a background of the log's own choice, black and white mean what they say; else they must be readable on the theme's.
  const exact = style.bg >= 0 ? EXACT_GREYS[style.fg] : undefined;
  let [fg, bg] = [exact ?? cssColour(style.fg), cssColour(style.bg)];
  // Colours of 256 or more know nothing of the theme: on its background they lean towards its text, so that they can be read.
  if (style.fg >= 16 && style.bg < 0) fg = `color-mix(in srgb, ${fg} 36%, var(--text))`;
  if (style.inverse) [fg, bg] = [bg || 'var(--surface)', fg || 'var(--text)'];
  return { classes, style: fg || bg ? { ...(fg ? { color: fg } : {}), ...(bg ? { backgroundColor: bg } : {}) } : undefined };
}

/** Finds lines, some time after typing stopped, and goes on in what comes in later. */
function useSearch(model: LogModel, version: number) {
  const [query, setQuery] = useState('');
  const [state, setState] = useState({ query: '', hits: [] as number[], seen: 0, dropped: 0 });
  const [current, setCurrent] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      setState({ query, hits: model.search(query), seen: Math.max(0, model.lineCount - 1), dropped: model.dropped });
      setCurrent(0);
    }, query ? SEARCH_DELAY_MS : 0);
    return () => clearTimeout(timer);
  }, [query, model]);
  useEffect(() => {
    if (!query || state.query !== query) return;
    const restart = state.dropped !== model.dropped;
    const kept = restart ? [] : state.hits.filter((line) => line < state.seen);
    const more = model.search(query, restart ? 0 : state.seen);
    setState({ query, hits: kept.concat(more), seen: Math.max(0, model.lineCount - 1), dropped: model.dropped });
  }, [version]);
  const fresh = state.query === query;
  const hits = useMemo(() => (fresh ? state.hits : []), [fresh, state.hits]);
  const select = (index: number): number => {
    if (hits.length === 0) return -1;
    const wrapped = (index + hits.length) % hits.length;
    setCurrent(wrapped);
    announce(`Line ${hits[wrapped]! + 1 + model.dropped}`);
    return hits[wrapped]!;
  };
  return { query, setQuery, hits, fresh, current, select, currentLine: query && hits.length > 0 ? hits[Math.min(current, hits.length - 1)]! : -1 };
}
