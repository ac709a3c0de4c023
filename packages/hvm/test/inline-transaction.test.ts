import { type BitcoinView, fromHex, type GenesisAccount, type Hex, toHex } from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import fc from 'fast-check';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUserTransaction, type ExecutedBlock, openBlockExecution } from '../src/index.ts';
import { assemble, createLab } from './lab.ts';

let network: TestNetwork;
let view: BitcoinView;
beforeAll(async () => {
  network = await createTestNetwork();
  const { chain } = network.sequencer.node;
  view = chain.viewAt(chain.head('latest'));
});
afterAll(() => network.close());

const signers = [0, 1, 2, 3, 4].map((addressIndex) =>
  mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex }),
);
const addressOf = (index: number): Hex => signers[index % signers.length]?.address.toLowerCase() as Hex;
const CONTRACT: Hex = `0x${'c0'.repeat(20)}`;
const BENEFICIARY: Hex = `0x${'be'.repeat(20)}`;
const stranger = (n: number): Hex => `0x${'51'.repeat(19)}${n.toString(16).padStart(2, '0')}`;
const precompiles = [1, 4, 0x11, 0x40, 0x49, 0x100].map((n): Hex => `0x${n.toString(16).padStart(40, '0')}`);

/** Rich, poor, with a delegation, with code that must not send, and absent at first. */
const allocation: Record<Hex, GenesisAccount> = {
  [addressOf(0)]: { balance: 10n ** 21n },
  [addressOf(1)]: { balance: 10n ** 15n },
  [addressOf(2)]: { balance: 10n ** 21n, code: fromHex(`0xef0100${CONTRACT.slice(2)}`) },
  [addressOf(3)]: { balance: 10n ** 21n, code: assemble(1, 2, 'ADD') },
  [CONTRACT]: { nonce: 1, code: assemble('CALLVALUE', 0, 'SSTORE') },
};

const requests = fc.array(
  fc.record({
    from: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4),
    to: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }).map(stranger) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }).map(addressOf) },
      { weight: 1, arbitrary: fc.constantFrom(...precompiles, CONTRACT, BENEFICIARY) },
    ),
    value: fc.oneof(fc.constantFrom(0n, 1n, 10n ** 14n, 10n ** 15n), fc.bigInt(0n, 10n ** 21n)),
    data: fc.constantFrom<Hex>('0x', '0x', '0x', '0x00', '0x0102'),
    gas: fc.constantFrom(21_000n, 21_000n, 21_000n, 20_999n, 50_000n, 100_000n, 16_777_217n),
    type: fc.constantFrom('legacy', 'eip2930', 'eip1559', 'eip1559'),
    accessList: fc.constantFrom(0, 0, 0, 1),
    tip: fc.constantFrom(0n, 1n, 10n ** 6n, 10n ** 10n),
    cap: fc.constantFrom(10n ** 10n, 10n ** 10n, 10n ** 7n, 1n),
    nonceOff: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
  }),
  { minLength: 1, maxLength: 20 },
);

test('transactions that are run inline end as they do in the VM: receipts, refusals, every root', async () => {
  const base = network.spec;
  const beneficiary = fromHex(BENEFICIARY);
  await fc.assert(
    fc.asyncProperty(requests, async (list) => {
      const lab = await createLab(base, { view, allocation });
      const parent = lab.head();
      const input = { parent, timestamp: parent.timestamp + 1n, beneficiary, ancestorHash: () => undefined };
      const plain = await openBlockExecution(lab.deps, input, view);
      const inVm = await openBlockExecution({ ...lab.deps, inline: 'off' }, input, view);
      const nonces = new Map<number, number>();
      for (const { from, to, value, data, gas, type, accessList, tip, cap, nonceOff } of list) {
        const nonce = nonces.get(from) ?? 0;
        const list = accessList === 0 || type === 'legacy' ? [] : [{ address: to, storageKeys: [] }];
        const fees = type === 'eip1559' ? { maxFeePerGas: cap, maxPriorityFeePerGas: tip < cap ? tip : cap } : { gasPrice: cap };
        const chainId = base.genesis.chainId;
        const request = {
          type,
          chainId,
          nonce: Math.max(0, nonce + nonceOff),
          to,
          value,
          data,
          gas,
          ...fees,
          ...(type === 'legacy' ? {} : { accessList: list }),
        };
        const signed = await signers[from]?.signTransaction(request as never);
        const attempt = async (execution: typeof plain): Promise<unknown> => {
          try {
            return await execution.user(decodeUserTransaction(fromHex(signed as Hex), lab.deps.common));
          } catch (error) {
            return (error as Error).message;
          }
        };
        const outcome = await attempt(plain);
        expect(outcome).toEqual(await attempt(inVm));
        expect(plain.gasLeft()).toBe(inVm.gasLeft());
        if (typeof outcome !== 'string') nonces.set(from, nonce + 1);
      }
      const [a, b]: ExecutedBlock[] = [await plain.finish(), await inVm.finish()];
      expect(toHex(a?.hash ?? new Uint8Array())).toBe(toHex(b?.hash ?? new Uint8Array()));
      expect(a?.diff).toEqual(b?.diff);
    }),
    { numRuns: 150 },
  );
}, 120_000);
