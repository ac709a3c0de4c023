import { closeSync, fchmodSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toDigits } from '@hemid/protocol';
import { type AdminServer, createAdminServer, createLimits, type LogLevel, type RpcDeps } from '@hemid/rpc';
import { type Logger, Secret, systemRandom } from '@hemid/runtime';
import { fail } from './errors.ts';
import type { Node } from './node.ts';

const TOKEN_BYTES = 32;

/** Reads a token of 64 hex digits; at the first start writes one, readable by the user alone. @throws `node/config` */
export function openAdminToken(path: string): Secret<string> {
  try {
    const file = openSync(path, 'wx', 0o600);
    // Whatever the umask is.
    fchmodSync(file, 0o600);
    writeSync(file, `${toDigits(systemRandom.bytes(TOKEN_BYTES))}\n`);
    closeSync(file);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST')
      throw fail('node/config', `cannot write the admin token file ${path}: ${(error as Error).message}`);
  }
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text))
    throw fail('node/config', `${path} does not hold 64 hex digits: delete it, and the next start writes a new token`);
  return new Secret(text);
}

export interface AdminOptions {
  adminHost: string;
  /** No admin port when left out. */
  adminPort?: number | undefined;
  adminTokenFile?: string | undefined;
  /** As on the ordinary port. */
  rpcCheckAnswers: boolean;
  /** The data directory. */
  data: string;
  role: string;
  /** Where the node listens, once it does. */
  urls(): Record<string, string>;
}

/** The file of the token, an absolute path. */
export function adminTokenFile({ adminTokenFile: file, data }: Pick<AdminOptions, 'adminTokenFile' | 'data'>): string {
  return resolve(file ?? join(data, 'admin-token'));
}

/** The admin port of a node, if it is configured. @throws `node/config` when the token cannot be read or written. */
export function openConfiguredAdmin(node: Node, { rpc, log }: { rpc: RpcDeps; log: Logger }, options: AdminOptions): AdminServer | undefined {
  const { adminHost: host, adminPort: port, role, data, rpcCheckAnswers } = options;
  if (port === undefined) return undefined;
  const tokenFile = adminTokenFile(options);
  const token = openAdminToken(tokenFile);
  log.info({ tokenFile }, 'admin port is on');
  const admin = {
    info: () => ({ role, urls: options.urls(), dataDirectory: resolve(data) }),
    setLogLevel(level: LogLevel) {
      const before = log.level as LogLevel;
      log.level = level;
      return before;
    },
    async lookAtBitcoin() {
      await node.bitcoinSync.pull();
      await node.settled();
    },
    reconsider: node.chain.reconsider,
    dropTransaction(hash: Uint8Array) {
      const waiting = node.pool?.read(hash);
      if (waiting !== undefined) node.pool?.drop(waiting);
      return waiting !== undefined;
    },
  };
  return createAdminServer({ ...rpc, admin }, { host, port, token, limits: createLimits({ rpcCheckAnswers }) });
}
