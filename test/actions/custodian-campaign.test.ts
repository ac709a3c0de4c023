import { fromHex, type Hex, scriptToAddress, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { layout } from '@hemid/store';
import { createBitcoinWallet, createSeededRandom, createTestNetwork, createUser, createVaultActor, publishKeystone, receiptOf } from '@hemid/testkit';
import { readTunnelAt, reportReserves } from '@hemid/tunnel';
import { expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, numbered, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

/** Random steps of one campaign; `HEMID_TUNNEL` sets another number. */
const STEPS = Number(process.env['HEMID_TUNNEL'] ?? (process.env['HEMID_LONG'] === undefined ? 25 : 1_000));
const SEED = Number(process.env['HEMID_SEED'] ?? 20_261_120);
const FEE = 3_000n;

test.each([
  ['three custodians', 3],
  ['one custodian gone', 2],
])(
  `${STEPS} random steps with reorgs and crashes, %s: every deposit is credited once, every withdrawal is paid once`,
  async (_title, alive) => {
    const network = await createTestNetwork();
    const { bitcoin, sequencer } = network;
    const { chain } = sequencer.node;
    const random = createSeededRandom(SEED + alive);
    // Coins that no reorg makes immature: a deposit that is lost for ever is another story.
    const wallet = createBitcoinWallet({ rpc: bitcoin.rpc, secret: 'depositor' });
    for (let n = 0; n < 4; n += 1) {
      await bitcoin.wallet.pay({ outputs: Array.from({ length: 10 }, () => ({ to: wallet.addresses.p2wpkh, valueSats: 100_000_000n })) });
    }
    const vault = createVaultActor({ ...bitcoin, wallet });
    const user = createUser(sequencer.node, 0);
    const all = await createCustodians(network);
    const custodians = all.slice(0, alive);
    for (const gone of all.slice(alive)) await gone.leave();
    const someone = (): CustodianActor => custodians[random.between(0, alive - 1)] as CustodianActor;

    const deposits: bigint[] = [];
    let reorgs = 0;
    const asked: { hash: Hex; script: Uint8Array; sats: bigint }[] = [];

    async function deposit(): Promise<void> {
      const sats = BigInt(random.between(50_000, 900_000));
      // The wallet may have no confirmed coin left: then nobody deposits.
      if ((await wallet.coins()).length === 0) return;
      await vault.deposit(numbered(0xde, deposits.length), sats);
      deposits.push(sats);
    }
    async function withdraw(): Promise<void> {
      const script = fromHex(`0x0014${toDigits(numbered(0xca, asked.length))}`);
      const sats = BigInt(random.between(40_000, 300_000));
      asked.push({ hash: await requestWithdrawal(user, script, sats), script, sats });
      await sequencer.build();
    }
    /** Each new branch pays another address: no block comes twice. */
    async function reorg(depth: number): Promise<void> {
      reorgs += 1;
      const address = scriptToAddress(fromHex(`0x0014${toDigits(numbered(0xbb, reorgs))}`), 'regtest') as string;
      await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - depth + 1])]);
      await bitcoin.mine({ count: depth + 1, address });
    }
    async function publish(): Promise<void> {
      const { number } = chain.head('latest').header;
      const keystone = chain.headerAt(number - (number % 5n));
      if (keystone !== undefined && keystone.header.number > 0n && (await wallet.coins()).length > 0) {
        await publishKeystone(wallet, chain.keystone(keystone));
      }
    }
    const steps: [weight: number, step: () => Promise<unknown>][] = [
      [4, deposit],
      [4, withdraw],
      [5, async () => bitcoin.mineBlocks(random.between(1, 6))],
      [3, async () => sequencer.build(random.between(1, 4))],
      [3, publish],
      [5, async () => someone().tick()],
      [1, async () => someone().restart()],
      [2, async () => reorg(random.between(1, 8))],
    ];
    const weights = steps.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));
    // No reorg reaches the hVM genesis.
    await bitcoin.mineBlocks(10);
    await sequencer.build();
    for (let n = 0; n < STEPS; n += 1) await (weights[random.between(0, weights.length - 1)] as () => Promise<unknown>)();

    // All that was asked for comes to its end: what is confirmed is credited, what is final is paid, what is paid is settled.
    const taken = () => asked.filter(({ hash }) => receiptOf(sequencer.node, hash)?.succeeded === true);
    for (let round = 0; ; round += 1) {
      await bitcoin.mineBlocks(7);
      await sequencer.build(3);
      const tunnel = readTunnelAt(chain, chain.head('latest'));
      if ((await tunnel.lowestOpenId()) > (await tunnel.sums()).requests) break;
      expect(round).toBeLessThan(10 + asked.length);
      await finalize(network);
      for (const custodian of [...custodians, ...custodians]) await custodian.tick();
    }

    const state = chain.stateAt(chain.head('latest'));
    for (const [n, sats] of deposits.entries()) expect((await state.account(numbered(0xde, n)))?.balance).toBe((sats - 2_000n) * WEI_PER_SAT);
    const paid = await paymentsTo(
      bitcoin,
      asked.map(({ script }) => script),
    );
    const expected = taken().map(({ script, sats }) => ({ script: toDigits(script), sats: Number(sats - FEE) }));
    const byScript = (a: { script: string }, b: { script: string }): number => a.script.localeCompare(b.script);
    expect(paid.sort(byScript)).toEqual(expected.sort(byScript));

    const { reserveSats, creditedSats, settledSats, isBreached } = await reportReserves(chain);
    expect(isBreached).toBe(false);
    expect(reserveSats).toBeGreaterThanOrEqual(creditedSats - settledSats);
    const supplyAt = (hash: Uint8Array): bigint => sequencer.store.get(layout.supply, hash) as bigint;
    expect(supplyAt(chain.head('latest').hash) - supplyAt(chain.head('earliest').hash)).toBe((creditedSats - settledSats) * WEI_PER_SAT);
    for (const { verifier } of custodians) {
      await verifier.sync();
      expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(chain.head('latest').hash));
    }
    for (const custodian of all) await custodian.leave();
    await network.close();
  },
  60_000 + STEPS * 5_000,
);
