import { btcFromSats } from '@hemid/bitcoin';
import {
  type ActiveRules,
  type BitcoinNetwork,
  type BitcoinOutput,
  encodeRecipient,
  equal,
  type Recipient,
  readDeposit,
  scriptToAddress,
  toDigits,
} from '@hemid/protocol';
import { fail } from './errors.ts';

/** What a Bitcoin wallet must pay so that somebody is credited on L2. */
export interface DepositPayment {
  /** Of the vault in force. */
  address: string;
  /** The vault's output, then the one that names the recipient. */
  outputs: [BitcoinOutput, BitcoinOutput];
  /** What the recipient gets: the payment less the deposit fee. */
  creditedSats: bigint;
  /** BIP-21. */
  uri: string;
}

export interface DepositRequest {
  recipient: Recipient;
  /** Paid to the vault. */
  sats: bigint;
}

/** What decides about deposits, and where. */
export interface DepositTerms {
  rules: ActiveRules;
  network: BitcoinNetwork;
}

/**
 * That a transaction with these outputs is the deposit that was asked for, read as every node reads it.
 *
 * @throws `tunnel/deposit` saying why it would not be.
 */
export function assertDeposit(outputs: readonly BitcoinOutput[], { recipient, sats }: DepositRequest, rules: ActiveRules): void {
  const read = readDeposit({ txid: new Uint8Array(32), outputs }, 0, rules);
  if ('refused' in read) throw fail('tunnel/deposit', `it would be no deposit: ${read.refused}`);
  const { deposit } = read;
  const isSame = equal(deposit.recipient, recipient.address) && equal(deposit.payload, recipient.payload);
  if (!isSame) throw fail('tunnel/deposit', 'with this payload the output that names the recipient would be read as another one: change the payload');
  if (deposit.sats === sats - rules.limits.depositFeeSats) return;
  throw fail('tunnel/deposit', `${deposit.sats} sats would be credited, not ${sats - rules.limits.depositFeeSats}`);
}

/**
 * The payment that makes a deposit (protocol section 10). Its URI asks for the recipient's output by a parameter that begins
 * with `req-`: a wallet that cannot make that output must not pay at all (BIP-21), for a payment without it is credited to nobody.
 *
 * @throws `tunnel/deposit` when it would be none: too little, or a payload that cannot be.
 */
export function toDepositPayment(request: DepositRequest, { rules, network }: DepositTerms): DepositPayment {
  const [script] = rules.vaults as [Uint8Array];
  const name = encodeRecipient(request.recipient);
  const outputs: DepositPayment['outputs'] = [
    { script, valueSats: request.sats },
    { script: name, valueSats: 0n },
  ];
  assertDeposit(outputs, request, rules);
  const address = scriptToAddress(script, network) as string;
  const uri = `bitcoin:${address}?amount=${btcFromSats(request.sats)}&req-op_return_raw=${toDigits(name.subarray(1))}`;
  return { address, outputs, creditedSats: request.sats - rules.limits.depositFeeSats, uri };
}
