/**
 * What a caller has to do about an error (house, section 4).
 *
 * - `retry`: data or a peer is missing; the same call may succeed later. Never a verdict on validity.
 * - `reset`: the current attempt is void; start over from a fresh state.
 * - `invalid`: the input is wrong and always will be.
 * - `fatal`: the node cannot go on; a person must act.
 */
export type Severity = 'retry' | 'reset' | 'invalid' | 'fatal';

export interface ErrorOptions {
  /** Values a log line or an RPC answer needs; must be JSON-safe. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error class of the house: `code` is `package/what`, `severity` says what to do. */
export class HemidError extends Error {
  readonly code: string;
  readonly severity: Severity;
  readonly details: Record<string, unknown>;

  constructor(code: string, severity: Severity, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HemidError';
    this.code = code;
    this.severity = severity;
    this.details = options.details ?? {};
  }
}

/** A package's errors: code → its severity and one line that explains it. */
export type ErrorTable = Record<string, { severity: Severity; doc: string }>;

/**
 * Binds an error table to a constructor, so that a package throws `fail('store/locked', message)` and the
 * severity is decided once, in its `errors.ts`.
 */
export function errorsOf<T extends ErrorTable>(table: T): (code: keyof T & string, message: string, options?: ErrorOptions) => HemidError {
  return (code, message, options) => {
    const row = table[code];
    return new HemidError(code, row === undefined ? 'fatal' : row.severity, message, options);
  };
}

/** Whether `error` is a {@link HemidError}, of one code if `code` is given. */
export function isHemidError(error: unknown, code?: string): error is HemidError {
  return error instanceof HemidError && (code === undefined || error.code === code);
}
