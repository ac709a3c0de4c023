import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createJsonRpc } from '@hemid/network';
import { fromHex, type Hex, isHemidError, toHex } from '@hemid/protocol';
import { freePort, waitFor } from '@hemid/testkit';
import { keccak256 } from 'viem';
import type { Beginning, BlockPlan, BlockResult, Outcome } from './engine.ts';
import type { HemidEngine } from './hemid-engine.ts';
import type { Rival } from './run.ts';

/** anvil as a rival; it is stopped by `close`. */
export interface Anvil extends Rival {
  close(): Promise<void>;
}

interface RpcReceipt {
  status: Hex;
  gasUsed: Hex;
  logs: { address: Hex; topics: Hex[]; data: Hex }[];
}

const SLOTS = 8;
const CHECKED = 12;
/** States are compared after so many blocks: each look is more than a hundred questions. */
const PERIOD = 100;
const REFUSED: Outcome = { status: 'refused', gasUsed: '0', logs: [] };
const quantity = (value: bigint | string): Hex => `0x${BigInt(value).toString(16)}`;
const word = (value: bigint | number): Hex => `0x${BigInt(value).toString(16).padStart(64, '0')}`;

/** anvil's binary: named by HEMID_ANVIL, or where the bench has put it; `undefined` when there is none. */
export function findAnvil(): string | undefined {
  const cached = join(homedir(), '.cache/hemid-bench/anvil/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
  return [process.env['HEMID_ANVIL'], cached].find((path) => path !== undefined && existsSync(path));
}

/** Starts anvil on a beginning, mining only when it is told to. */
export async function startAnvil(binary: string, { chainId, accounts }: Beginning, genesisTime: bigint): Promise<Anvil> {
  const port = await freePort();
  const flags = [
    '--port',
    `${port}`,
    '--chain-id',
    `${chainId}`,
    '--hardfork',
    'osaka',
    '--gas-limit',
    '1000000000',
    '--no-mining',
    '--order',
    'fifo',
    '--accounts',
    '1',
  ];
  const child: ChildProcess = spawn(binary, [...flags, '--timestamp', `${genesisTime}`, '--prune-history', '--silent'], { stdio: 'ignore' });
  const call = createJsonRpc(`http://127.0.0.1:${port}`, { timeoutMs: 60_000 });
  const answers = async (): Promise<boolean> => {
    try {
      await call('eth_chainId', []);
      return true;
    } catch {
      return false;
    }
  };
  await waitFor(answers, { timeoutMs: 20_000, what: 'anvil' });
  for (const [address, { balance, nonce = 0, code }] of Object.entries(accounts)) {
    await call('anvil_setBalance', [address, quantity(balance)]);
    await call('anvil_setNonce', [address, quantity(BigInt(nonce))]);
    if (code !== undefined) await call('anvil_setCode', [address, code]);
  }

  await call('anvil_setBlockTimestampInterval', [1]);
  let beneficiary: Hex | undefined;

  /** Into the pool; what it refuses at once is refused. */
  async function offer(raw: Hex): Promise<void> {
    try {
      await call('eth_sendRawTransaction', [raw]);
    } catch (error) {
      // No receipt will say so; anything but an answer of anvil's is a fault.
      if (!isHemidError(error, 'network/refused')) throw error;
    }
  }

  /** Mines a block with a transaction, or without it when it is refused. */
  async function mine(raw: Hex): Promise<Outcome> {
    await offer(raw);
    await call('evm_mine', []);
    const [receipt] = (await call('eth_getBlockReceipts', ['latest'])) as RpcReceipt[];
    if (receipt === undefined) {
      await call('anvil_dropTransaction', [keccak256(raw)]);
      return REFUSED;
    }
    const { status, gasUsed, logs } = receipt;
    return {
      status: BigInt(status) === 1n ? 'succeeded' : 'failed',
      gasUsed: BigInt(gasUsed).toString(),
      logs: logs.map(({ address, topics, data }) => ({ address, topics, data })),
    };
  }

  return {
    async block(plan: BlockPlan): Promise<BlockResult> {
      if (plan.beneficiary !== beneficiary) await call('anvil_setCoinbase', [plan.beneficiary]);
      beneficiary = plan.beneficiary;
      await call('anvil_setNextBlockBaseFeePerGas', [quantity(plan.baseFee)]);
      const [raw] = plan.transactions;
      if (raw === undefined || plan.transactions.length > 1) throw new RangeError('a block for anvil has one transaction');
      return { outcomes: [await mine(raw)], stateRoot: undefined };
    },
    async compareState(hemid: HemidEngine, addresses: readonly Hex[]) {
      const number = Number(hemid.header().number);
      if (number % PERIOD !== 0) return undefined;
      const state = hemid.state();
      const at = (number / PERIOD) * CHECKED;
      const chosen = Array.from({ length: Math.min(CHECKED, addresses.length) }, (_, i) => addresses[(at + i) % addresses.length] as Hex);
      for (const address of chosen) {
        const bytes = fromHex(address);
        const account = await state.account(bytes);
        const mine = [quantity(account?.balance ?? 0n), quantity(account?.nonce ?? 0n), toHex(await state.code(bytes))];
        const theirs = [
          await call('eth_getBalance', [address, 'latest']),
          await call('eth_getTransactionCount', [address, 'latest']),
          await call('eth_getCode', [address, 'latest']),
        ];
        for (let slot = 0; slot < SLOTS; slot += 1) {
          mine.push(toHex(await state.storage(bytes, fromHex(word(slot)))));
          theirs.push(await call('eth_getStorageAt', [address, quantity(BigInt(slot)), 'latest']));
        }
        if (JSON.stringify(mine) !== JSON.stringify(theirs))
          return `${address}: balance, nonce, code, slots: hemid ${JSON.stringify(mine)}, anvil ${JSON.stringify(theirs)}`;
      }
      return undefined;
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
