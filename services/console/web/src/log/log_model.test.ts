import { describe, expect, it } from 'vitest';
import { LogModel, markHits, MAX_LINE_LENGTH } from './log_model';
import { PLAIN } from './ansi';

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (model: LogModel) => Array.from({ length: model.lineCount }, (_, i) => model.text(i));

describe('a log', () => {
  it('is the same however its bytes are split', () => {
    const whole = 'grün \u001b[31mrot\u001b[0m\n€ 𝄞\nletzte';
    const data = bytes(whole);
    for (let cut = 1; cut < data.length; cut++) {
      const model = new LogModel();
      expect(model.append(0, data.subarray(0, cut))).toBe(true);
      expect(model.append(cut, data.subarray(cut))).toBe(true);
      expect(texts(model)).toEqual(['grün rot', '€ 𝄞', 'letzte']);
      expect(model.spans(0).map((span) => span.style.fg)).toEqual([-1, 1]);
    }
  });
  it('skips what it knows already', () => {
    const model = new LogModel();
    model.append(0, bytes('one\ntwo\n'));
    expect(model.append(4, bytes('two\nthree\n'))).toBe(true);
    expect(model.append(0, bytes('one'))).toBe(true);
    expect(texts(model)).toEqual(['one', 'two', 'three']);
    expect(model.nextOffset).toBe(14);
  });
  it('refuses bytes after a gap and says where to resume', () => {
    const model = new LogModel();
    model.append(0, bytes('one\n'));
    expect(model.append(10, bytes('later'))).toBe(false);
    expect(model.nextOffset).toBe(4);
  });
  it('carries a colour from line to line', () => {
    const model = new LogModel();
    model.append(0, bytes('\u001b[32mfirst\nsecond\n\u001b[0mthird\n'));
    expect(model.spans(1)[0]!.style.fg).toBe(2);
    expect(model.spans(2)[0]!.style).toEqual(PLAIN);
  });
  it('shows an unfinished last line, and a cut-off character at the end', () => {
    const model = new LogModel();
    model.append(0, new Uint8Array([0x61, 0xe2, 0x82]));
    expect(texts(model)).toEqual(['a']);
    model.end();
    expect(texts(model)).toEqual(['a\ufffd']);
  });
  it('breaks a line that is too long', () => {
    const model = new LogModel();
    model.append(0, bytes('x'.repeat(MAX_LINE_LENGTH * 2 + 5) + '\nend\n'));
    expect(texts(model).map((text) => text.length)).toEqual([MAX_LINE_LENGTH, MAX_LINE_LENGTH, 5, 3]);
  });
  it('keeps only the newest state of a line that is rewritten for hours', () => {
    const model = new LogModel();
    model.append(0, bytes(Array.from({ length: 5000 }, (_, i) => `${i}%\r`).join('') + 'done\n'));
    expect(texts(model)).toEqual(['done']);
  });
  it('lets the oldest lines go and counts them', () => {
    const model = new LogModel(100);
    model.append(0, bytes(Array.from({ length: 250 }, (_, i) => `line ${i}\n`).join('')));
    expect(model.lineCount).toBe(100);
    expect(model.dropped).toBe(150);
    expect(model.text(0)).toBe('line 150');
  });
  it('finds lines without minding case and colours', () => {
    const model = new LogModel();
    model.append(0, bytes('ok\n\u001b[31mErr\u001b[0mor: x\nerror\n'));
    expect(model.search('ERROR')).toEqual([1, 2]);
    expect(model.search('error', 2)).toEqual([2]);
    expect(model.search('')).toEqual([]);
  });
  it('takes 100,000 lines, each at once', () => {
    const data = bytes('#12 1.5 \u001b[33mcompiling\u001b[0m something of ordinary length\n'.repeat(100_000));
    const model = new LogModel();
    for (let at = 0; at < data.length; at += 65_536) model.append(at, data.subarray(at, at + 65_536));
    expect(model.lineCount).toBe(100_000);
    expect(model.spans(99_999)[1]!.style.fg).toBe(3);
  });
});

describe('marking hits', () => {
  it('marks over the border of two spans', () => {
    const marked = markHits([{ text: 'Err', style: PLAIN }, { text: 'or here', style: { ...PLAIN, fg: 1 } }], 'error');
    expect(marked.map(({ text, hit }) => [text, hit])).toEqual([['Err', true], ['or', true], [' here', false]]);
  });
  it('leaves lines without a hit as they are', () => {
    expect(markHits([{ text: 'abc', style: PLAIN }], 'x')).toEqual([{ text: 'abc', style: PLAIN, hit: false }]);
  });
});
