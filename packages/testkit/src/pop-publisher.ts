import { abbreviate, encodePopScript, type Keystone } from '@hemid/protocol';
import type { BitcoinWallet, WalletAddress } from './bitcoin-wallet.ts';

/** Publishes a keystone from a wallet, as a PoP miner would; @returns the txid in display order. */
export async function publishKeystone(wallet: BitcoinWallet, keystone: Keystone, from: WalletAddress = 'p2wpkh'): Promise<string> {
  const { txid } = await wallet.pay({ outputs: [{ to: encodePopScript(abbreviate(keystone)), valueSats: 0n }], from });
  return txid;
}
