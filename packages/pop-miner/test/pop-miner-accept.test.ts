import { createMinerBitcoind, createPopWallet, type MinerBitcoin, type Outlook, type PopWallet } from '@hemid/pop-miner';
import { isHemidError, toDigits } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import { type Bitcoind, type BitcoinWallet, createBitcoinWallet, createSeededRandom, type SeededRandom, startBitcoind } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Claim } from '../src/claims.ts';
import { DUST_SATS } from '../src/coin-selection.ts';
import { createFamily } from '../src/family.ts';
import { type Plan, type PlanContext, planPublication, planReplacement } from '../src/plan.ts';
import { type StuckTransaction, toCandidate } from '../src/policy.ts';
import { buildPopTransaction } from '../src/pop-transaction.ts';
import { createKeystoneHolder } from './keystone-holder.ts';

/** Transactions that bitcoind judges: HEMID_ACCEPT, or 10,000 in the long run. */
const CASES = Number(process.env['HEMID_ACCEPT'] ?? (process.env['HEMID_LONG'] === undefined ? 120 : 10_000));
const SEED = Number(process.env['HEMID_SEED'] ?? 20_261_120);
/** Transactions that are made for one wallet. */
const PER_WALLET = 30;

/** Errors that say that nothing is to be sent. */
const NOTHING_TO_SEND = ['pop-miner/no-funds', 'pop-miner/fee-too-high', 'pop-miner/held'];

describe('bitcoind and the transactions of a pop miner', () => {
  let bitcoind: Bitcoind;
  let faucet: BitcoinWallet;
  const keystones = createKeystoneHolder();
  let number = 0;

  beforeAll(async () => {
    bitcoind = await startBitcoind({ args: ['-txindex=0'] });
    faucet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'faucet' });
    await faucet.mine(130);
  });
  afterAll(() => bitcoind.stop());

  /** From some hundred sats to a tenth of a coin. */
  const pickValue = (random: SeededRandom): bigint => BigInt(Math.round(10 ** (2.5 + random.next() * 4.5)));

  /** A new wallet with 1 to 60 coins, some of them dust in effect, and now and then one that is not mature. */
  async function openWallet(random: SeededRandom): Promise<{ wallet: PopWallet; bitcoin: MinerBitcoin }> {
    const secret = Uint8Array.from({ length: 32 }, () => random.between(0, 254));
    const wallet = createPopWallet(new Secret(secret), { network: 'regtest', kind: random.next() < 0.5 ? 'p2wpkh' : 'p2pkh' });
    const count = random.next() < 0.5 ? random.between(1, 2) : random.between(1, 60);
    const least = DUST_SATS[wallet.kind];
    const outputs = Array.from({ length: count }, () => pickValue(random)).map((valueSats) => ({
      to: wallet.script,
      valueSats: valueSats < least ? least : valueSats,
    }));
    await faucet.pay({ outputs, feeRate: 5 });
    await faucet.mine(1);
    if (random.next() < 0.2) await bitcoind.rpc('generatetoaddress', [1, wallet.address]);
    return { wallet, bitcoin: createMinerBitcoind({ rpc: bitcoind.rpc, wallet, log: silentLogger }) };
  }

  function makePlan(outlook: Outlook, { random, wallet, incremental }: { random: SeededRandom; wallet: PopWallet; incremental: bigint }) {
    const family = createFamily(outlook.pending);
    const rate = BigInt(Math.round(1000 * 10 ** (random.next() * 3)));
    const context: PlanContext = { outlook, family, wallet, rate, fees: random.next() < 0.5 ? {} : { gatherRate: 5000n } };
    const leaves = outlook.pending.filter((one): one is StuckTransaction => family.isLeaf(one) && one.popScript !== undefined);
    const stuck = leaves[random.between(0, leaves.length - 1)];
    if (stuck !== undefined && random.next() < 0.4) return { context, plan: planReplacement(stuck, incremental, context) };
    number += 25;
    const candidate = toCandidate(keystones.make(number, '00'.repeat(32)), { bitcoinTip: new Uint8Array(32), timeMs: 0 });
    const coin = outlook.coins[random.between(0, outlook.coins.length - 1)];
    const claim: Claim = coin !== undefined && random.next() < 0.1 ? { kind: 'coin', coin } : { kind: 'none' };
    return { context, plan: planPublication(candidate, { waiting: random.next() < 0.3 ? 100 : 0, claim }, context) };
  }

  async function judge(plan: Plan, wallet: PopWallet): Promise<string> {
    const { raw, vsize } = buildPopTransaction(wallet, plan);
    const hex = toDigits(raw);
    const [verdict] = (await bitcoind.rpc('testmempoolaccept', [[hex], 0])) as { allowed: boolean; vsize: number; fees: { base: number } }[];
    if (verdict?.allowed !== true) throw new Error(`${JSON.stringify(verdict)}: ${hex}`);
    expect(verdict).toMatchObject({ vsize, fees: { base: Number(plan.feeSats) / 1e8 } });
    for (const valueSats of plan.change) expect(valueSats).toBeGreaterThanOrEqual(DUST_SATS[wallet.kind]);
    return hex;
  }

  it(`agree: ${CASES} transactions of random wallets at random fee rates, seed ${SEED}`, { timeout: 3_600_000 }, async () => {
    const random = createSeededRandom(SEED);
    const seen = { publications: 0, replacements: 0, children: 0, divided: 0, gathered: 0, nothing: 0 };
    let judged = 0;
    while (judged < CASES) {
      const { wallet, bitcoin } = await openWallet(random);
      const { incremental } = await bitcoin.feeMarket();
      for (let i = 0; i < PER_WALLET; i += 1) {
        const outlook = await bitcoin.look([]);
        try {
          const { context, plan } = makePlan(outlook, { random, wallet, incremental });
          const hex = await judge(plan, wallet);
          judged += 1;
          const isReplacement = plan.extraSats !== plan.feeSats;
          seen[isReplacement ? 'replacements' : 'publications'] += 1;
          if (plan.coins.some(({ unconfirmed }) => unconfirmed > 0)) seen.children += 1;
          if (plan.change.length > 1) seen.divided += 1;
          if (plan.coins.length > 1 && context.fees.gatherRate !== undefined) seen.gathered += 1;
          if (random.next() < 0.1) continue;
          const txid = (await bitcoind.rpc('sendrawtransaction', [hex, 0])) as string;
          // Together with those it rests on it pays the rate: what they lacked is made up for.
          const { fees, ancestorsize } = (await bitcoind.rpc('getmempoolentry', [txid])) as { fees: { ancestor: number }; ancestorsize: number };
          expect(BigInt(Math.round(fees.ancestor * 1e11))).toBeGreaterThanOrEqual(context.rate * BigInt(ancestorsize));
        } catch (error) {
          if (!isHemidError(error) || !NOTHING_TO_SEND.includes(error.code)) throw error;
          seen.nothing += 1;
        }
      }
      await faucet.mine(1);
    }
    const { publications, replacements, children } = seen;
    for (const count of CASES < 1000 ? [publications, replacements, children] : Object.values(seen))
      expect(count, JSON.stringify(seen)).toBeGreaterThan(0);
  });
});
