import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHemidError } from '@hemid/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { describeConfig, loadConfig } from '../src/index.ts';

const schema = z.strictObject({
  rpcPort: z.coerce.number().int().min(1).max(65_535).default(8545).describe('port of the RPC server'),
  logLevel: z.enum(['info', 'debug']).default('info').describe('how much is logged'),
  archive: z.boolean().default(false).describe('keep everything'),
  upstream: z.string().optional().describe('node to follow'),
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-config-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(value: unknown): string {
  const path = join(directory, 'config.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const load = (argv: string[], env: Record<string, string> = {}): z.output<typeof schema> => loadConfig(schema, { argv, env, envPrefix: 'HEMID' });

function refusal(argv: string[], env: Record<string, string> = {}): string {
  try {
    load(argv, env);
  } catch (error) {
    if (!isHemidError(error, 'runtime/config')) throw error;
    expect(error.severity).toBe('fatal');
    return error.message;
  }
  return 'accepted';
}

test('a flag wins over the environment, the environment over the file, the file over the default', () => {
  const config = fileOf({ rpcPort: 1, logLevel: 'debug' });
  expect(load([]).rpcPort).toBe(8545);
  expect(load(['--config', config]).rpcPort).toBe(1);
  expect(load(['--config', config], { HEMID_RPC_PORT: '2' }).rpcPort).toBe(2);
  expect(load(['--config', config, '--rpc-port', '3'], { HEMID_RPC_PORT: '2' }).rpcPort).toBe(3);
  expect(load(['--config', config, '--rpc-port=3'], { HEMID_RPC_PORT: '2' }).logLevel).toBe('debug');
  expect(load([], { HEMID_CONFIG: config }).rpcPort).toBe(1);
});

test('an empty variable of the environment counts as not set, and one of another program is not read', () => {
  expect(load([], { HEMID_RPC_PORT: '', RPC_PORT: '7', OTHER_RPC_PORT: '8' }).rpcPort).toBe(8545);
});

test('a switch is on by its bare flag, and by true or 1 in the environment', () => {
  expect(load([]).archive).toBe(false);
  expect(load(['--archive']).archive).toBe(true);
  expect(load([], { HEMID_ARCHIVE: '1' }).archive).toBe(true);
  expect(load([], { HEMID_ARCHIVE: 'true' }).archive).toBe(true);
  expect(load(['--config', fileOf({ archive: true })], { HEMID_ARCHIVE: 'false' }).archive).toBe(false);
  expect(refusal([], { HEMID_ARCHIVE: 'yes' })).toBe('archive must be true or false, not "yes"');
});

test('an unknown key is refused by its name: in the file and as a flag', () => {
  expect(refusal(['--config', fileOf({ rpcPrt: 1 })])).toMatch(/rpcPrt/);
  expect(refusal(['--rpc-prt', '1'])).toMatch(/--rpc-prt/);
  expect(refusal(['stray'])).toMatch(/stray/);
});

test('every wrong value is named, all in one message', () => {
  const message = refusal(['--rpc-port', '99999', '--log-level', 'loud']);
  expect(message).toMatch(/rpcPort: .*65535/);
  expect(message).toMatch(/logLevel: .*info/);
  expect(refusal(['--rpc-port', 'many'])).toMatch(/rpcPort: .*number/);
});

test('a config file that is missing or no JSON is named', () => {
  const missing = join(directory, 'none.json');
  expect(refusal(['--config', missing])).toContain(missing);
  expect(refusal(['--config', fileOf('{ "rpcPort": ')])).toContain(join(directory, 'config.json'));
});

test('the configuration cannot be changed afterwards', () => {
  const config = load([]);
  expect(() => Object.assign(config, { rpcPort: 1 })).toThrow(TypeError);
});

test('help has a line for each key with flag, sentence, default and variable', () => {
  const lines = describeConfig(schema, 'HEMID').split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('  --rpc-port   port of the RPC server (default 8545)  [HEMID_RPC_PORT]');
  expect(lines[3]).toBe('  --upstream   node to follow  [HEMID_UPSTREAM]');
});
