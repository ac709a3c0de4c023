import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { fail } from './errors.ts';

/** A program's configuration: a strict zod object whose keys are camelCase and carry `.describe()`. */
export type ConfigSchema = z.ZodObject<z.ZodRawShape>;

export interface ConfigSources {
  /** Arguments after the command word. */
  argv: readonly string[];
  /** The environment; keys are `PREFIX_SNAKE_CASE`. */
  env: Readonly<Record<string, string | undefined>>;
  /** e.g. `HEMID`. */
  envPrefix: string;
}

const kebab = (key: string): string => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const snake = (key: string): string => kebab(key).replaceAll('-', '_').toUpperCase();

/** Whether a field is an on/off flag, looking through defaults and optionals. */
function isFlag(field: unknown): boolean {
  let type = field as z.ZodType & { unwrap?: () => z.ZodType };
  for (let depth = 0; depth < 4; depth += 1) {
    if (type.def.type === 'boolean') return true;
    const inner = (type.def as { innerType?: z.ZodType }).innerType;
    if (inner === undefined) return false;
    type = inner;
  }
  return false;
}

function fromText(key: string, text: string, flag: boolean): unknown {
  if (!flag) return text;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw fail('runtime/config', `${key} must be true or false, not "${text}"`);
}

function readFile(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw fail('runtime/config', `cannot read the config file ${path}: ${String(cause)}`, { cause });
  }
}

/**
 * Composes file < environment < flags and parses the result once, into a frozen object. A key `config` names the
 * file. Numbers in flags and environment are text: schemas use `z.coerce`.
 *
 * @throws `runtime/config` naming every wrong key and what is expected.
 */
export function loadConfig<S extends ConfigSchema>(schema: S, sources: ConfigSources): Readonly<z.output<S>> {
  const keys = Object.keys(schema.shape);
  const options = Object.fromEntries(
    [...keys, 'config'].map((key) => [kebab(key), { type: isFlag(schema.shape[key] ?? schema) ? ('boolean' as const) : ('string' as const) }]),
  );
  let flags: Record<string, unknown>;
  try {
    flags = parseArgs({ args: [...sources.argv], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw fail('runtime/config', `${(cause as Error).message}. Try --help.`, { cause });
  }
  const fromEnv: Record<string, unknown> = {};
  const fromFlags: Record<string, unknown> = {};
  for (const key of keys) {
    const text = sources.env[`${sources.envPrefix}_${snake(key)}`];
    if (text !== undefined && text !== '') fromEnv[key] = fromText(key, text, isFlag(schema.shape[key]));
    const flag = flags[kebab(key)];
    if (flag !== undefined) fromFlags[key] = flag;
  }
  const file = flags['config'] ?? sources.env[`${sources.envPrefix}_CONFIG`];
  const merged = { ...(typeof file === 'string' ? readFile(file) : {}), ...fromEnv, ...fromFlags };
  const parsed = schema.safeParse(merged);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`);
    throw fail('runtime/config', `the configuration is wrong: ${lines.join('; ')}. Try --help.`);
  }
  return Object.freeze(parsed.data);
}

/** The `--help` lines of a schema: flag, description and default, from the same table that parses. */
export function describeConfig(schema: ConfigSchema, envPrefix: string): string {
  const rows = Object.entries(schema.shape).map(([key, field]) => {
    const type = field as z.ZodType;
    const standard = (type.def as { defaultValue?: unknown }).defaultValue;
    const text = standard === undefined ? '' : ` (default ${String(standard)})`;
    return { flag: `--${kebab(key)}`, text: `${type.description ?? ''}${text}`, env: `${envPrefix}_${snake(key)}` };
  });
  const width = Math.max(...rows.map((row) => row.flag.length));
  return rows.map((row) => `  ${row.flag.padEnd(width)}  ${row.text}  [${row.env}]`).join('\n');
}
