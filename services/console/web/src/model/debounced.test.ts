import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Debounced } from './debounced';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a debounced question', () => {
  it('is asked once, with the last input, after the input was still for a while', async () => {
    const ask = vi.fn(async (input: string) => input.toUpperCase());
    const answers: string[] = [];
    const question = new Debounced(ask, 300, (answer) => answers.push(answer), () => undefined);
    for (const input of ['a', 'ab', 'abc']) {
      question.set(input);
      await vi.advanceTimersByTimeAsync(200);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(answers).toEqual(['ABC']);
  });
  it('drops the answer to an earlier input, and aborts its request', async () => {
    const signals: AbortSignal[] = [];
    const answers: string[] = [];
    const slow = (input: string, signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<string>((resolve) => setTimeout(() => resolve(input), 1000));
    };
    const question = new Debounced(slow, 100, (answer) => answers.push(answer), () => undefined);
    question.set('first');
    await vi.advanceTimersByTimeAsync(150);
    question.set('second');
    await vi.advanceTimersByTimeAsync(3000);
    expect(signals[0]!.aborted).toBe(true);
    expect(answers).toEqual(['second']);
  });
  it('gives errors of the newest input only, and nothing after it was cancelled', async () => {
    const errors: unknown[] = [];
    const question = new Debounced(async () => Promise.reject(new Error('no')), 100, () => undefined, (error) => errors.push(error));
    question.set('x');
    await vi.advanceTimersByTimeAsync(200);
    expect(errors).toHaveLength(1);
    question.set('y');
    question.cancel();
    await vi.advanceTimersByTimeAsync(1000);
    expect(errors).toHaveLength(1);
  });
});
