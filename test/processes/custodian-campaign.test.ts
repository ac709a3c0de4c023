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
      throw campaign.explain(error);
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
    } catch (error) {
      throw campaign.explain(error);
    } finally {
      await scene.close();
    }
  },
  1_200_000,
);

test.runIf(OPERATIONS > 0)(
  'a batch that is too cheap for a spike of fees is bumped by the custodians and settles before fees fall',
  async () => {
    const campaign = await createCampaign(2);
    const { scene, mine, deposit, withdraw, asked, succeeded, publish, raise } = campaign;
    const pool = async () => (await scene.bitcoind.rpc('getrawmempool', [])) as string[];
    const becomes = (what: string, probe: () => Promise<boolean>) => waitFor(probe, { timeoutMs: PATIENCE_MS, what });
    try {
      await deposit(1_000_000n);
      await mine(6);
      await becomes('the credit', async () => BigInt((await readReserves(scene)).creditedSats) === 998_000n);
      await withdraw(100_000n);
      await becomes('a receipt', async () => (await succeeded((asked[0] as (typeof asked)[0]).hash)) === '0x1');
      const requestedIn = Number(await scene.ask<string>('eth_blockNumber'));
      // A keystone makes final what is below it: it takes the one behind the block that decides.
      await becomes('a keystone', async () => Number((await scene.latestKeystone())?.l2_block_number ?? 0) > requestedIn + 5);
      await publish();
      await mine(11);
      raise();
      await becomes('the batch', async () => (await pool()).length === 1);
      const [batch] = await pool();
      await mine(1);
      expect(await pool()).toContain(batch);
      await becomes('a child of the batch', async () => (await pool()).length === 2);
      await mine(6);
      expect(await pool()).toEqual([]);
      await becomes('the settlement', async () => BigInt((await readReserves(scene)).settledSats) === 100_000n);
      await audit(campaign);
    } catch (error) {
      throw campaign.explain(error);
    } finally {
      await scene.close();
    }
  },
  1_200_000,
);
