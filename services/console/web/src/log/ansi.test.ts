import { describe, expect, it } from 'vitest';
import { afterCarriageReturns, applySgr, cssColour, parseLine, plainText, PLAIN, styleAfter } from './ansi';

describe('ANSI sequences', () => {
  it('gives plain text as one span', () => {
    expect(parseLine('hello', PLAIN)).toEqual([{ text: 'hello', style: PLAIN }]);
  });
  it('splits where colours change and goes back to plain', () => {
    const spans = parseLine('a\u001b[1;31mb\u001b[0mc', PLAIN);
    expect(spans.map((span) => span.text)).toEqual(['a', 'b', 'c']);
    expect(spans[1]!.style).toMatchObject({ fg: 1, bold: true });
    expect(spans[2]!.style).toEqual(PLAIN);
  });
  it('understands 256 colours, true colours and bright ones', () => {
    expect(applySgr(PLAIN, '38;5;208').fg).toBe(0x1000000 + 0xff8700);
    expect(applySgr(PLAIN, '48;2;40;80;120').bg).toBe(0x1000000 + 0x285078);
    expect(applySgr(PLAIN, '97').fg).toBe(15);
    expect(cssColour(applySgr(PLAIN, '48;2;40;80;120').bg)).toBe('#285078');
    expect(cssColour(3)).toBe('var(--ansi-3)');
  });
  it('starts in the style that the line before left', () => {
    const red = applySgr(PLAIN, '31');
    expect(parseLine('still red', red)[0]!.style).toEqual(red);
    expect(styleAfter('x\u001b[39m', red)).toEqual(PLAIN);
  });
  it('drops cursor movements, titles, links and control characters', () => {
    expect(plainText('\u001b[2K\u001b[1Gdone\u0007')).toBe('done');
    expect(plainText('\u001b]0;title\u0007text')).toBe('text');
    expect(plainText('\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\')).toBe('link');
    expect(plainText('a\u0000b\u009bc')).toBe('abc');
  });
  it('drops characters that would reorder a line', () => {
    expect(plainText('user\u202Etxt.exe')).toBe('usertxt.exe');
  });
  it('shows what is left of a line that carriage returns rewrite', () => {
    expect(afterCarriageReturns('10%\r60%\r100%')).toBe('100%');
    expect(afterCarriageReturns('windows line\r')).toBe('windows line');
    expect(parseLine('\u001b[32m10%\r100%', PLAIN)).toEqual([{ text: '100%', style: { ...PLAIN, fg: 2 } }]);
  });
  it('never makes markup: what looks like it stays text', () => {
    expect(parseLine('<script>alert(1)</script>', PLAIN)[0]!.text).toBe('<script>alert(1)</script>');
  });
  it('survives an unfinished sequence and absurd parameters', () => {
    expect(plainText('x\u001b[')).toBe('x');
    expect(applySgr(PLAIN, '38;5').fg).toBe(0);
    expect(applySgr(PLAIN, '999;31').fg).toBe(1);
  });
});
