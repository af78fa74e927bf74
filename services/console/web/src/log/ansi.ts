// ANSI escape sequences of a log: colours and weights (SGR) are understood, everything else (cursor movement, titles, links) is dropped. What it gives are pieces
// of text with a style as data; nothing here makes HTML.

/** How a piece of text looks. Colours: -1 = the default, 0..15 = the theme's palette, else 0x1000000 + 0xRRGGBB. */
export interface Style {
  readonly fg: number;
  readonly bg: number;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
}

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export const PLAIN: Style = { fg: -1, bg: -1, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false };

const RGB = 0x1000000;
const ESC = '\u001b';

// CSI (ESC [ parameters intermediates final), OSC and the other strings (ended by BEL or ESC \), and two-character escapes; then what is left of C0, C1 and DEL
// but the tab; then the characters that reorder text (a log line must read as it is stored).
const SEQUENCE =
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The 256-colour palette's entry as this module's colour. */
function indexed(index: number): number {
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return RGB + (grey << 16) + (grey << 8) + grey;
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return RGB + (level(Math.floor(cube / 36)) << 16) + (level(Math.floor(cube / 6) % 6) << 8) + level(cube % 6);
}

/** Applies the parameters of one SGR sequence (`1;31`) to a style. */
export function applySgr(style: Style, parameters: string): Style {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map((text) => (text === '' ? 0 : Number(text)));
  let next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) next = { ...PLAIN };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 9) next.strike = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 27) next.inverse = false;
    else if (code === 29) next.strike = false;
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code === 39) next.fg = -1;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code === 49) next.bg = -1;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
    else if (code === 38 || code === 48) {
      let colour = -1;
      if (codes[i + 1] === 5) {
        colour = indexed(Math.min(255, codes[i + 2] ?? 0));
        i += 2;
      } else if (codes[i + 1] === 2) {
        const [r, g, b] = [codes[i + 2] ?? 0, codes[i + 3] ?? 0, codes[i + 4] ?? 0].map((value) => Math.min(255, value));
        colour = RGB + (r! << 16) + (g! << 8) + b!;
        i += 4;
      }
      if (code === 38) next.fg = colour;
      else next.bg = colour;
    }
  }
  return next;
}

/** What a terminal would show of a line in which carriage returns rewrite it: the text after the last one, if there is any. */
export function afterCarriageReturns(line: string): string {
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  const last = line.lastIndexOf('\r', end - 1);
  return line.slice(last + 1, end);
}

/** Splits a line (without its newline) into spans, starting in the style that the line before left. */
export function parseLine(line: string, start: Style): Span[] {
  const text = afterCarriageReturns(line);
  let style = text.length === line.length ? start : styleAfter(line.slice(0, line.length - text.length), start);
  if (!hasControls(text)) return text === '' ? [] : [{ text, style }];
  const spans: Span[] = [];
  let from = 0;
  let pending = '';
  const flush = () => {
    if (pending !== '') spans.push({ text: pending, style });
    pending = '';
  };
  SEQUENCE.lastIndex = 0;
  for (let match = SEQUENCE.exec(text); match; match = SEQUENCE.exec(text)) {
    pending += text.slice(from, match.index);
    from = SEQUENCE.lastIndex;
    if (match[2] === 'm' && /^[\d;:]*$/.test(match[1]!)) {
      flush();
      style = applySgr(style, match[1]!);
    }
  }
  pending += text.slice(from);
  flush();
  return spans;
}

/** The style that is in force after a line. */
export function styleAfter(line: string, start: Style): Style {
  const last = line.lastIndexOf(ESC);
  if (last < 0) return start;
  // Most coloured lines end with a reset; then what came before does not matter.
  if (line.startsWith('[0m', last + 1) || line.startsWith('[m', last + 1)) return PLAIN;
  let style = start;
  SEQUENCE.lastIndex = 0;
  for (let match = SEQUENCE.exec(line); match; match = SEQUENCE.exec(line)) {
    if (match[2] === 'm' && /^[\d;:]*$/.test(match[1]!)) style = applySgr(style, match[1]!);
  }
  return style;
}

/** A line as plain text: what a person sees, to search in and to save. */
export function plainText(line: string): string {
  const text = afterCarriageReturns(line);
  return hasControls(text) ? text.replace(SEQUENCE, '') : text;
}

function hasControls(text: string): boolean {
  return /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text);
}

/** A colour as CSS; '' = the default. `n` of 0..15 is the theme's custom property `--ansi-n`. */
export function cssColour(colour: number): string {
  if (colour < 0) return '';
  if (colour < 16) return `var(--ansi-${colour})`;
  return '#' + (colour - RGB).toString(16).padStart(6, '0');
}
