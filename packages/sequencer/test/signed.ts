import { fromHex, isHemidError, toHex } from '@hemid/protocol';
import { mnemonicToAccount } from 'viem/accounts';

const MNEMONIC = 'test test test test test test test test test test test junk';

export const SOMEONE = '0x00000000000000000000000000000000000000aa';
export const GWEI = 10n ** 9n;
/** What each account of the mnemonic owns. */
export const BALANCE = 10_000n * 10n ** 18n;

/** An account of the development mnemonic. */
export const accountAt = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index });
export const addressAt = (index: number): Uint8Array => fromHex(accountAt(index).address);

export interface Request {
  nonce?: number;
  tip?: bigint;
  cap?: bigint;
  value?: bigint;
  gas?: bigint;
  /** Another chain's than asked for. */
  chainId?: number;
  /** Of a contract creation. */
  data?: Uint8Array;
}

/** A raw transfer of the account at `index`, or what else is asked for. */
export async function sign(ownChainId: number, index: number, request: Request = {}): Promise<Uint8Array> {
  const { chainId = ownChainId, nonce = 0, tip = GWEI, cap = 10n * GWEI, value = 1n, gas = 21_000n, data } = request;
  const target = data === undefined ? ({ to: SOMEONE } as const) : { data: toHex(data) };
  const fees = { maxFeePerGas: cap, maxPriorityFeePerGas: tip };
  return fromHex(await accountAt(index).signTransaction({ chainId, type: 'eip1559', nonce, gas, value, ...target, ...fees }));
}

/** The words with which a transaction is refused. */
export async function refusal(submitted: Promise<unknown>): Promise<string> {
  try {
    await submitted;
  } catch (error) {
    if (!isHemidError(error)) throw error;
    return error.message;
  }
  return 'accepted';
}
