// A log as lines: takes bytes at offsets as they come (overlapping, split anywhere, also inside a character or an escape sequence), gives lines to draw, to search and
// to save. It holds at most MAX_LINES lines; of a longer log the oldest are let go and counted.
import { afterCarriageReturns, parseLine, plainText, PLAIN, styleAfter, type Span, type Style } from './ansi';

/** More lines than these cannot be scrolled through: browsers limit an element's height to some 16 million pixels. */
export const MAX_LINES = 500_000;
/** A longer line is broken, so that one line cannot stop the page. */
export const MAX_LINE_LENGTH = 10_000;

export class LogModel {
  private lines: string[] = [];
  /** Styles at the starts of lines; only of those that do not start plain. */
  private starts = new Map<number, Style>();
  private partial = '';
  private style: Style = PLAIN;
  private decoder = new TextDecoder('utf-8');
  private next = 0;
  private droppedLines = 0;
  private longest = 0;
  private longestStored = 0;

  constructor(private readonly maxLines: number = MAX_LINES) {}

  /** The offset of the first byte that is missing. */
  get nextOffset(): number {
    return this.next;
  }

  /** Lines to draw, the unfinished last one included. */
  get lineCount(): number {
    return this.lines.length + (this.partial === '' ? 0 : 1);
  }

  /** Lines that were let go, before the first. Line numbers shown to people count them. */
  get dropped(): number {
    return this.droppedLines;
  }

  /**
   * Takes bytes that begin at `offset`. What is known already is skipped. Returns false, and takes nothing, when bytes between are missing: the caller resumes
   * from `nextOffset`.
   */
  append(offset: number, data: Uint8Array): boolean {
    if (offset > this.next) return false;
    const fresh = data.subarray(this.next - offset);
    if (fresh.length === 0) return true;
    this.next += fresh.length;
    this.take(this.decoder.decode(fresh, { stream: true }));
    return true;
  }

  /** The log has ended: a last character that was cut off is shown as it is. */
  end(): void {
    this.take(this.decoder.decode());
  }

  /** Characters of the longest line so far, to know how wide the log is. */
  get width(): number {
    return Math.max(this.longest, this.partial.length);
  }

  private take(text: string): void {
    if (text === '') return;
    const pieces = (this.partial + text).split('\n');
    this.partial = pieces.pop()!;
    for (const piece of pieces) this.push(piece);
    while (this.partial.length > MAX_LINE_LENGTH) {
      // What a carriage return hides need not be kept: a progress bar may rewrite one line for hours.
      const visible = afterCarriageReturns(this.partial);
      if (visible.length < this.partial.length - 1) {
        this.style = styleAfter(this.partial.slice(0, this.partial.length - visible.length), this.style);
        this.partial = visible;
        continue;
      }
      this.push(this.partial.slice(0, MAX_LINE_LENGTH));
      this.partial = this.partial.slice(MAX_LINE_LENGTH);
    }
    if (this.lines.length > this.maxLines * 1.1) this.letGo(this.lines.length - this.maxLines);
  }

  private push(line: string): void {
    let whole = line;
    if (line.length > MAX_LINE_LENGTH && line.includes('\r')) {
      whole = afterCarriageReturns(line);
      this.style = styleAfter(line.slice(0, line.length - whole.length), this.style);
    }
    for (let rest = whole; ; rest = rest.slice(MAX_LINE_LENGTH)) {
      const piece = rest.length > MAX_LINE_LENGTH ? rest.slice(0, MAX_LINE_LENGTH) : rest;
      if (this.style !== PLAIN) this.starts.set(this.lines.length, this.style);
      this.lines.push(piece);
      if (piece.length > this.longestStored) {
        this.longestStored = piece.length;
        this.longest = Math.max(this.longest, plainText(piece).length);
      }
      if (piece.includes('\u001b')) {
        const after = styleAfter(piece, this.style);
        this.style = isPlain(after) ? PLAIN : after;
      }
      if (rest.length <= MAX_LINE_LENGTH) return;
    }
  }

  private letGo(count: number): void {
    this.lines = this.lines.slice(count);
    const starts = new Map<number, Style>();
    for (const [line, style] of this.starts) if (line >= count) starts.set(line - count, style);
    this.starts = starts;
    this.droppedLines += count;
  }

  private raw(index: number): string {
    return index < this.lines.length ? this.lines[index]! : index === this.lines.length ? this.partial : '';
  }

  /** A line to draw, by its index from 0. */
  spans(index: number): Span[] {
    const start = index === this.lines.length ? this.style : (this.starts.get(index) ?? PLAIN);
    return parseLine(this.raw(index), start);
  }

  /** A line as plain text, by its index from 0. */
  text(index: number): string {
    return plainText(this.raw(index));
  }

  /** The whole log as plain text, to save it. */
  allText(): string {
    const texts: string[] = [];
    for (let i = 0; i < this.lineCount; i++) texts.push(this.text(i));
    return texts.join('\n') + (this.partial === '' && texts.length > 0 ? '\n' : '');
  }

  /** Indexes of the lines that contain the text, ignoring case; `from` = the first line to look at; at most `limit` of them. */
  search(needle: string, from = 0, limit = 10_000): number[] {
    const found: number[] = [];
    const wanted = needle.toLowerCase();
    if (wanted === '') return found;
    for (let i = from; i < this.lineCount && found.length < limit; i++) {
      if (this.text(i).toLowerCase().includes(wanted)) found.push(i);
    }
    return found;
  }
}

function isPlain(style: Style): boolean {
  return style.fg < 0 && style.bg < 0 && !(style.bold || style.dim || style.italic || style.underline || style.strike || style.inverse);
}

/** A piece of a span with what the search found in it. */
export interface MarkedSpan extends Span {
  readonly hit: boolean;
}

/** Splits spans where a search text is found; a hit may reach over several spans. */
export function markHits(spans: Span[], needle: string): MarkedSpan[] {
  const wanted = needle.toLowerCase();
  const whole = spans.map((span) => span.text).join('');
  const lower = whole.toLowerCase();
  if (wanted === '' || lower.length !== whole.length || !lower.includes(wanted)) return spans.map((span) => ({ ...span, hit: false }));
  const hits: [number, number][] = [];
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) hits.push([at, at + wanted.length]);
  const marked: MarkedSpan[] = [];
  let position = 0;
  for (const span of spans) {
    let from = 0;
    for (const [start, end] of hits) {
      const a = Math.max(start - position, from);
      const b = Math.min(end - position, span.text.length);
      if (b <= a) continue;
      if (a > from) marked.push({ text: span.text.slice(from, a), style: span.style, hit: false });
      marked.push({ text: span.text.slice(a, b), style: span.style, hit: true });
      from = b;
    }
    if (from < span.text.length) marked.push({ text: span.text.slice(from), style: span.style, hit: false });
    position += span.text.length;
  }
  return marked;
}
