import { devKey } from '@hemid/node';
import { concat, toBigEndian } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';
import type { BitcoinActor } from './bitcoin-actor.ts';
import { buildTransaction, coinOf, multisigOf, signTransaction, type WalletCoin, type WalletOutput } from './bitcoin-wallet.ts';

/** Who holds the keys of a vault, two of three, and spends from it as the test says: rightly or wrongly. */
export interface VaultActor {
  script: Uint8Array;
  address: string;
  /** Pays the vault and names a recipient; @returns the transaction and the vault's coin. */
  deposit(recipient: Uint8Array, valueSats: bigint): Promise<{ tx: Transaction; coin: WalletCoin }>;
  /** Spends coins of the vault, and of the wallet where they are its own; @returns the transaction, sent. */
  spend(request: { inputs: readonly WalletCoin[]; outputs: readonly WalletOutput[] }): Promise<{ tx: Transaction; txid: string }>;
  /** An output of a transaction as a coin of the vault. */
  coinOf(tx: Transaction, vout: number): WalletCoin;
}

/** The output "HEMW" ‖ firstId ‖ count (protocol section 10). */
export function batchMark(firstId: bigint | number, count: number): WalletOutput {
  const data = concat(new TextEncoder().encode('HEMW'), toBigEndian(firstId, 8), toBigEndian(count, 2));
  return { to: concat(Uint8Array.of(0x6a, data.length), data), valueSats: 0n };
}

/** The vault of the development keys `<name> 1` … `<name> 3`; `custodian` is that of the dev spec. */
export function createVaultActor({ rpc, wallet }: BitcoinActor, name = 'custodian'): VaultActor {
  const keys = [1, 2, 3].map((i) => devKey(`${name} ${i}`)).sort((a, b) => Buffer.compare(a.publicKey, b.publicKey));
  const vault = multisigOf(
    2,
    keys.map(({ publicKey }) => publicKey),
  );
  const { script, address, witnessScript } = vault;
  return {
    script,
    address,
    coinOf: (tx, vout) => coinOf(tx, vout, witnessScript),
    async deposit(recipient, valueSats) {
      const outputs = [
        { to: script, valueSats },
        { to: concat(Uint8Array.of(0x6a, 20), recipient), valueSats: 0n },
      ];
      const { tx } = await wallet.pay({ outputs });
      return { tx, coin: coinOf(tx, 0, witnessScript) };
    },
    async spend({ inputs, outputs }) {
      const secrets = keys.slice(0, 2).map(({ secret }) => secret);
      const [tx, own] = [secrets, [wallet.secretKey]].map((by) => signTransaction(buildTransaction({ inputs, outputs }), inputs, by)) as [
        Transaction,
        Transaction,
      ];
      for (const [i, coin] of inputs.entries()) if (coin.witnessScript === undefined) tx.setWitness(i, own.ins[i]?.witness ?? []);
      return { tx, txid: (await rpc('sendrawtransaction', [tx.toHex()])) as string };
    },
  };
}
