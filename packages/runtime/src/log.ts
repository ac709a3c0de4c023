import pino from 'pino';
import pretty from 'pino-pretty';

/** A pino logger, passed in, never global: fields first, then a fixed lowercase sentence. */
export type Logger = pino.Logger;

export interface LogOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `json`: one JSON object per line; `pretty`: for a person at a terminal. */
  format: 'json' | 'pretty';
}

/** Creates the root logger of a process; it writes to standard error. */
export function createLogger(options: LogOptions): Logger {
  const base = { level: options.level, base: null };
  if (options.format === 'json') return pino(base, pino.destination({ dest: 2, sync: true }));
  return pino(base, pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }));
}

/** A logger that says nothing. */
export const silentLogger: Logger = pino({ level: 'silent' });
