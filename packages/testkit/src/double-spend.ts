import { type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';
import { toDisplay } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';
import { type BitcoinWallet, buildTransaction, signTransaction, type WalletCoin } from './bitcoin-wallet.ts';

/** Fee of the rival transaction, enough to replace any other of a test. */
const FEE_SATS = 100_000n;

/** Spends the first input of a wallet's unconfirmed transaction otherwise, at a higher fee (BIP-125); @returns the txid. */
export async function spendOtherwise(rpc: BitcoinRpc, wallet: BitcoinWallet, tx: Transaction): Promise<string> {
  const [input] = tx.ins;
  if (input === undefined) throw new Error('the transaction has no input');
  const txid = toDisplay(input.hash);
  const out = (await rpc('gettxout', [txid, input.index, false])) as { value: number; scriptPubKey: { hex: string } };
  const script = Uint8Array.from(Buffer.from(out.scriptPubKey.hex, 'hex'));
  const coin: WalletCoin = { txid, vout: input.index, valueSats: satsFromBtc(out.value), script };
  const rival = buildTransaction({ inputs: [coin], outputs: [{ to: wallet.scripts.p2pkh, valueSats: coin.valueSats - FEE_SATS }] });
  return (await rpc('sendrawtransaction', [signTransaction(rival, [coin], [wallet.secretKey]).toHex()])) as string;
}
