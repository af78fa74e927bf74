// What went wrong with a call to the backend, and what a person can do about it.

/** gRPC's code names, plus two of the browser's own: no answer came, or one that is not Davit's. */
export type ErrorCode = 'NETWORK' | 'UNEXPECTED' | (string & {});

/** An error of the API: a code, a message for people and, for a wrong field, the field's path in the request. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly field: string = '',
    readonly httpStatus: number = 0,
  ) {
    super(message);
  }
}

const FIELD_PATH = /^([a-z][a-z0-9_]*(?:\[[^\]]*\])?(?:\.[a-z][a-z0-9_]*(?:\[[^\]]*\])?)*): (.+)$/s;

const CODE_OF_STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  413: 'RESOURCE_EXHAUSTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** Reads an error answer: `{"error":{"code","field","message"}}`, or whatever a proxy in between made of it. */
export function errorFromAnswer(httpStatus: number, body: string): ApiError {
  const fallback = CODE_OF_STATUS[httpStatus] ?? 'UNEXPECTED';
  try {
    const error = (JSON.parse(body) as { error?: { code?: unknown; field?: unknown; message?: unknown } }).error;
    if (error && typeof error.message === 'string') {
      const code = typeof error.code === 'string' && error.code ? error.code : fallback;
      let field = typeof error.field === 'string' ? error.field : '';
      let message = error.message;
      if (code === 'INVALID_ARGUMENT') {
        const split = FIELD_PATH.exec(message);
        if (split && (!field || field === split[1])) {
          field = split[1]!;
          message = split[2]!;
        }
      }
      return new ApiError(code, message, field, httpStatus);
    }
  } catch {
    // Not JSON: an answer of something between the browser and the console.
  }
  return new ApiError(fallback, `The server answered ${httpStatus} without saying why.`, '', httpStatus);
}

/** Turns whatever was thrown into an ApiError; a failed fetch is a NETWORK error. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof TypeError) return new ApiError('NETWORK', 'The console’s server does not answer.');
  return new ApiError('UNEXPECTED', thrown instanceof Error ? thrown.message : String(thrown));
}

/** What a person can do about an error of this code, in a sentence. */
export function adviceFor(code: ErrorCode): string {
  switch (code) {
    case 'NETWORK':
      return 'Check your network and that the console is running, then try again.';
    case 'UNAVAILABLE':
      return 'A service behind the console cannot be reached. Try again in a moment; if it stays, ask your operator.';
    case 'DEADLINE_EXCEEDED':
      return 'It took too long. Try again; if it stays, ask your operator.';
    case 'UNAUTHENTICATED':
      return 'Sign in again with an API token.';
    case 'PERMISSION_DENIED':
      return 'Sign in with a token of a larger role, or ask an administrator of this project.';
    case 'NOT_FOUND':
      return 'It may have been deleted, or belongs to another project. Go back to the list and look there.';
    case 'ALREADY_EXISTS':
      return 'Choose another name.';
    case 'ABORTED':
      return 'Somebody changed it meanwhile. Load it again and repeat your change.';
    case 'FAILED_PRECONDITION':
      return 'Change what the message names, then try again.';
    case 'INVALID_ARGUMENT':
      return 'Correct what the message names, then try again.';
    case 'RESOURCE_EXHAUSTED':
      return 'A limit was reached. Make it smaller, or wait a little and try again.';
    default:
      return 'Try again; if it stays, give your operator this message and the time.';
  }
}

/** Whether the same call may succeed if it is simply repeated. */
export function isTransient(code: ErrorCode): boolean {
  return code === 'NETWORK' || code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED';
}
