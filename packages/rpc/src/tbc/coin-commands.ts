import { addressToScript, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { type CommandTable, command, type TbcDeps } from './command.ts';
import { uint } from './field.ts';

/** Outputs of one answer. */
const MAX_OUTPUTS = 1000;
/** For "one of the next so many blocks"; the public miner asks for 6 and for nothing else. */
const FEE_TARGETS = [1, 3, 6, 12, 24];

/** @throws `rpc/invalid-params` */
function scriptOf(address: string, { chain }: TbcDeps): Uint8Array {
  const { network } = chain.spec.genesis.bitcoin;
  const script = addressToScript(address, network);
  if (script === undefined) throw fail('rpc/invalid-params', `"${address}" is not an address of ${network}`);
  return script;
}

/** What a wallet asks. */
export const coinCommands: CommandTable = {
  'utxos-by-address': command({
    doc: 'A page of the unspent outputs of an address (at most 1000); with filter_mempool only those that can be spent now.',
    payload: z.object({ filter_mempool: z.boolean().default(false), address: z.string(), start: uint.default(0), count: uint }),
    async handle({ filter_mempool: onlyFree, address, start, count }, deps) {
      const page = { skip: Math.min(start, Number.MAX_SAFE_INTEGER), limit: Math.min(count, MAX_OUTPUTS) };
      const outputs = await deps.best.unspent(scriptOf(address, deps), page);
      const shown = [];
      for (const output of outputs) {
        const isShown = !onlyFree || (output.isMature && (await deps.gateway.isFree(output)));
        if (isShown) shown.push({ tx_id: toDisplay(output.txid), value: Number(output.valueSats), out_index: output.vout });
      }
      return { utxos: shown };
    },
  }),
  'balance-by-address': command({
    doc: 'Sum of the unspent outputs of an address, in satoshis.',
    payload: z.object({ address: z.string() }),
    handle: async ({ address }, deps) => ({ balance: Number(await deps.best.balance(scriptOf(address, deps))) }),
  }),
  'fee-estimate': command({
    doc: 'Satoshis per virtual byte, by how soon a transaction is to be in a block.',
    payload: z.object({}),
    async handle(_, { gateway }) {
      const estimates = [];
      for (const blocks of FEE_TARGETS) estimates.push({ blocks, sats_per_vbyte: await gateway.feeRate(blocks) });
      return { fee_estimate: estimates };
    },
  }),
};
