// Asks a question some time after its input stopped changing, and gives only the answer to the newest input: earlier questions are aborted.

export class Debounced<Input, Output> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  /** `ask` must honour its signal; `delay` in milliseconds. */
  constructor(
    private readonly ask: (input: Input, signal: AbortSignal) => Promise<Output>,
    private readonly delay: number,
    private readonly onAnswer: (answer: Output, input: Input) => void,
    private readonly onError: (error: unknown, input: Input) => void,
  ) {}

  /** The input is this now. */
  set(input: Input): void {
    this.cancel();
    this.timer = setTimeout(() => {
      const controller = new AbortController();
      this.running = controller;
      this.ask(input, controller.signal).then(
        (answer) => {
          if (!controller.signal.aborted) this.onAnswer(answer, input);
        },
        (error: unknown) => {
          if (!controller.signal.aborted) this.onError(error, input);
        },
      );
    }, this.delay);
  }

  /** Forgets what was asked; no answer comes any more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = undefined;
  }
}
