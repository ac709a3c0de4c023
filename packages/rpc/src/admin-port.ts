/** How much a node writes to its log. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the operator of a node asks of it while it runs. */
export interface Admin {
  /** What the node is and where it listens. */
  info(): { role: string; urls: Readonly<Record<string, string>>; dataDirectory: string };
  /** @returns the level before. */
  setLogLevel(level: LogLevel): LogLevel;
  /** Asks the Bitcoin node for its tip now and follows it. */
  lookAtBitcoin(): Promise<void>;
  /** Evaluates fork choice anew. */
  reconsider(): Promise<void>;
  /** Takes a transaction out of the pool; @returns whether it was there. */
  dropTransaction(hash: Uint8Array): boolean;
}
