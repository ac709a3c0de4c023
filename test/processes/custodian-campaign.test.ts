import { devVaultScript } from '@hemid/node';
import { type Hex, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { type ProgramProcess, spendOtherwise, waitFor, waitForOutput } from '@hemid/testkit';
import { expect, test } from 'vitest';
import { audit, createCampaign, drain, PATIENCE_MS, type Reserves, readReserves, SEED } from '../custodian-campaign.ts';
import { numbered } from '../custodian-scene.ts';

/** Random deposits and withdrawals of one campaign; it takes some seconds for each, so that `npm test` leaves it out. */
const OPERATIONS = Number(process.env['HEMID_CUSTODY'] ?? (process.env['HEMID_LONG'] === undefined ? 0 : 1_000));

test.runIf(OPERATIONS > 0).each([
  ['three custodians', 3],
  ['one custodian gone', 2],
])(
  `${OPERATIONS} random deposits and withdrawals on a real bitcoind, reorgs, fee spikes, kill -9 of any process, %s`,
  async (title, alive) => {
    const campaign = await createCampaign(alive);
    const { random, journal, mine, rest, reorg, deposit, withdraw, kill, spike, publish, deposits, asked } = campaign;
    const operation = async () => (random.between(0, 1) === 0 ? deposit() : withdraw());
    const steps: [weight: number, name: string, step: () => Promise<unknown>][] = [
      [12, 'operation', operation],
      [5, 'mine', async () => mine(random.between(1, 6))],
      [3, 'rest', async () => rest(random.between(1, 3))],
      [2, 'publish', publish],
      [2, 'reorg', async () => reorg(random.between(1, 8))],
      [1, 'kill', kill],
      [1, 'spike', spike],
    ];
    const weights = steps.flatMap((step) => Array.from({ length: step[0] }, () => step));
    journal(`${title}: ${OPERATIONS} operations, seed ${SEED}, ${campaign.scene.directory}`);
    try {
      while (deposits.length + asked.length < OPERATIONS) {
        const [, name, step] = weights[random.between(0, weights.length - 1)] as (typeof steps)[number];
        journal(`${deposits.length}+${asked.length} ${name}`);
        await step();
      }
      await drain(campaign);
      await audit(campaign);
    } catch (error) {
      journal(`${String(error)}\n${campaign.programs.map((program) => program.output().slice(-6_000)).join('\n=====\n')}`);
      throw error;
    } finally {
      await campaign.scene.close();
    }
  },
  600_000 + OPERATIONS * 10_000,
);

test.runIf(OPERATIONS > 0)(
  'a credited deposit that is double-spent at depth 8 stops withdrawals and custodians, who go on once the deficit is covered',
  async () => {
    const campaign = await createCampaign(2);
    const { scene, wallet, mine, rest, reorg, deposit, withdraw, deposits, asked, succeeded, publish, programs } = campaign;
    const reaches = (what: string, probe: (now: Reserves) => boolean) =>
      waitFor(async () => probe(await readReserves(scene)), { timeoutMs: PATIENCE_MS, what });
    const statusOf = (i: number) =>
      waitFor(async () => succeeded((asked[i] as (typeof asked)[0]).hash), { timeoutMs: PATIENCE_MS, what: 'a receipt' });
    try {
      for (const sats of [1_000_000n, 400_000n]) {
        await deposit(sats);
        await mine(8);
      }
      await reaches('both credits', ({ creditedSats }) => BigInt(creditedSats) === 1_396_000n);
      await withdraw(100_000n);
      expect(await statusOf(0)).toBe('0x1');
      await reorg(8, () => spendOtherwise(scene.bitcoind.rpc, wallet, (deposits[1] as (typeof deposits)[0]).tx));
      await mine(2);
      await reaches('the deficit', ({ deficitSats }) => BigInt(deficitSats) === 296_000n);
      await withdraw(50_000n);
      expect(await statusOf(1)).toBe('0x0');
      await rest(6);
      await publish();
      await mine(11);
      await waitForOutput(programs[1] as ProgramProcess, /the vaults lack \d+ sats/, PATIENCE_MS);

      await wallet.pay({ outputs: [{ to: devVaultScript(), valueSats: 396_000n }] });
      await mine(6);
      await reaches('an end of the deficit', ({ deficitSats }) => BigInt(deficitSats) === 0n);
      await withdraw(50_000n);
      expect(await statusOf(2)).toBe('0x1');
      await drain(campaign);
      deposits.pop();
      const lost = await scene.ask<Hex>('eth_getBalance', toHex(numbered(0xde, 1)), 'latest');
      expect(BigInt(lost)).toBe(398_000n * WEI_PER_SAT);
      await audit(campaign);
    } finally {
      await scene.close();
    }
  },
  1_200_000,
);
