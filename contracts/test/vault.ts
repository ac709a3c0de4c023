import type { CustomPrecompile } from '@ethereumjs/evm';
import { EVMError } from '@ethereumjs/evm';
import { hexToBytes } from '@ethereumjs/util';
import { type Address, concatHex, encodeAbiParameters, type Hex, hexToString, keccak256, padHex, size, toHex } from 'viem';
import { tunnel } from '../src/index.ts';
import { createPredeployChain, type Outcome, type PredeployChain, TUNNEL } from './predeploy-chain.ts';

export const WEI_PER_SAT = 10n ** 10n;
export const FEE = 3_000n;
export const MINIMUM = 40_000n;
/** A P2WSH vault, and the P2PKH vault before it. */
export const VAULT = { address: 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry', script: `0x0020${'18'.repeat(32)}` as Hex };
export const FORMER_VAULT = { address: 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', script: `0x76a914${'24'.repeat(20)}88ac` as Hex };
export const PAYEE: Hex = `0x0014${'ab'.repeat(20)}`;

/** A chain whose Tunnel has vaults, and the stand-in for precompile 0x40 that says what is on them. */
export interface VaultScene {
  chain: PredeployChain;
  /** Sats by Bitcoin address; an address that is missing answers nothing, as one does that is not decodable. */
  sats: Map<string, bigint>;
  setVaults(vaults: readonly { address: string; script: Hex }[]): Promise<void>;
  setLimits(limits: { fee: bigint; minimum: bigint }): Promise<void>;
  clear(txid: Hex): Promise<void>;
  /** Calls `withdraw` with so many wei, which the caller has. */
  withdraw(request: { from?: Address; script?: Hex; wei?: bigint; gas?: bigint }): Promise<Outcome>;
  view<T>(name: string, args?: unknown[]): Promise<T>;
}

export const ALICE: Address = padHex('0xa11ce', { size: 20 });
const BALANCE_GAS = 50_000n;
const word = (value: bigint | number): Hex => toHex(value, { size: 32 });
const slotOf = (name: string, more: Hex = '0x'): Hex => keccak256(concatHex([toHex(name), more]));

export async function createVaultScene(): Promise<VaultScene> {
  const sats = new Map([[VAULT.address, 0n]]);
  const balance: CustomPrecompile = {
    address: padHex('0x40', { size: 20 }) as never,
    function({ data, gasLimit }) {
      const none = new Uint8Array();
      if (gasLimit < BALANCE_GAS) return { executionGasUsed: gasLimit, returnValue: none, exceptionError: new EVMError('out of gas' as never) };
      const found = sats.get(hexToString(toHex(data)));
      return { executionGasUsed: BALANCE_GAS, returnValue: found === undefined ? none : hexToBytes(toHex(found, { size: 8 })) };
    },
  };
  const chain = await createPredeployChain({ precompiles: [balance] });
  const set = (slot: Hex, value: Hex): Promise<void> => chain.setStorage(TUNNEL, slot, value);

  const scene: VaultScene = {
    chain,
    sats,
    async setVaults(vaults) {
      await set(slotOf('hemid.vault.count'), word(vaults.length));
      for (const [i, { address, script }] of vaults.entries()) {
        const first = BigInt(slotOf('hemid.vault', toHex(i, { size: 8 })));
        const text = padHex(toHex(address), { size: 64, dir: 'right' });
        const values = [keccak256(script), word(size(toHex(address))), `0x${text.slice(2, 66)}` as Hex, `0x${text.slice(66)}` as Hex];
        for (const [offset, value] of values.entries()) await set(word(first + BigInt(offset)), value);
      }
    },
    async setLimits({ fee, minimum }) {
      await set(slotOf('hemid.withdrawal.fee'), word(fee));
      await set(slotOf('hemid.withdrawal.minimum'), word(minimum));
    },
    clear: (txid) => set(slotOf('hemid.cleared', txid), word(1)),
    async withdraw({ from = ALICE, script = PAYEE, wei = MINIMUM * WEI_PER_SAT, gas = 1_000_000n }) {
      const lacks = wei - (await chain.balanceOf(from));
      if (lacks > 0n) await chain.addBalance(from, lacks);
      const before = await chain.balanceOf(from);
      const outcome = await chain.send({ from, to: TUNNEL, abi: tunnel.abi, name: 'withdraw', args: [script], value: wei, gas });
      if (!outcome.ok && (await chain.balanceOf(from)) !== before) throw new Error('a failed call took coins');
      return outcome;
    },
    view: (name, args = []) => chain.read(TUNNEL, tunnel.abi, name, args),
  };
  await scene.setVaults([VAULT]);
  await scene.setLimits({ fee: FEE, minimum: MINIMUM });
  return scene;
}

/** What a batch pays for each request: keccak256 over (sats u64 ‖ script length u16 ‖ script). */
export function hashOutputs(outputs: readonly { sats: bigint; script: Hex }[]): Hex {
  return keccak256(concatHex(outputs.flatMap(({ sats, script }) => [toHex(sats, { size: 8 }), toHex(size(script), { size: 2 }), script])));
}

/** What a settled batch is known by. */
export function digestOf(count: number, netSats: bigint, outputsHash: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: 'uint16' }, { type: 'uint64' }, { type: 'bytes32' }], [count, netSats, outputsHash]));
}
