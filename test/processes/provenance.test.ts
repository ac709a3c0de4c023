import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { devVaultScript, runProvenance } from '@hemid/node';
import { concat, fromHex, fromKeystoneJson, type KeystoneJson } from '@hemid/protocol';
import type { Links } from '@hemid/provenance';
import { publishKeystone, startProgram, waitFor } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askNode, createProgramScene, type NodeProcess, type ProgramScene } from '../program-scene.ts';

const RECIPIENT = '0x00000000000000000000000000000000000000aa';
const PATIENCE_MS = 40_000;

let scene: ProgramScene;
let node: NodeProcess;
let url: string;

beforeAll(async () => {
  scene = await createProgramScene('provenance');
  node = await scene.start('node');
  url = node.url;
}, 120_000);
afterAll(async () => scene?.close(), 60_000);

/** Runs a command to its end. */
async function hemid(...args: string[]): Promise<{ code: unknown; output: string }> {
  const program = startProgram('apps/node/src/main.ts', args);
  const code = await waitFor(() => program.end(), { timeoutMs: PATIENCE_MS, what: () => `the end of hemid ${args[0]}: ${program.output()}` });
  return { code, output: program.output() };
}

/** What the node says of an id, once it says enough. */
const untilReport = (id: string, isEnough: (report: Links) => boolean): Promise<Links> =>
  waitFor(
    async () => {
      const report = await askNode<Links | undefined>(url, 'hemi_getProvenance', id);
      return report !== undefined && isEnough(report) ? report : undefined;
    },
    { timeoutMs: PATIENCE_MS, what: `enough of ${id}` },
  );

test('a deposit on a real bitcoind is explained, proven to a file, and checked when the node is gone', async () => {
  const { bitcoind, directory, chain, treasury: wallet } = scene;
  const name = concat(Uint8Array.of(0x6a, 20), fromHex(RECIPIENT));
  const { txid } = await wallet.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 5_000_000n },
      { to: name, valueSats: 0n },
    ],
  });
  await wallet.mine(6);
  const credited = (await untilReport(txid, ({ block }) => block !== undefined)).block?.number ?? 0;
  const keystone = await waitFor(
    async () => {
      const { keystones } = await askNode<{ keystones: KeystoneJson[] }>(url, 'kss_getLatestKeystones', 50);
      return keystones.reverse().find((one) => one.l2_block_number > credited);
    },
    { timeoutMs: PATIENCE_MS, what: 'the keystone above the deposit' },
  );
  const early = await hemid('prove', txid, '-o', join(directory, 'early.json'), '--rpc', url);
  expect(early).toMatchObject({ code: 1, output: expect.stringContaining('is not published in Bitcoin yet (node/no-proof)') });

  await publishKeystone(wallet, fromKeystoneJson(keystone));
  await wallet.mine(11);
  await untilReport(txid, ({ anchor }) => anchor?.confirmations === 10);
  const story = await hemid('explain', txid, '--rpc', url);
  expect(story.code).toBe(0);
  expect(story.output).toMatch(
    new RegExp(
      `^deposit ${txid}\\n\\n1\\. locked in Bitcoin block 111, [0-9: -]+ UTC, 17 confirmations\\n.*\\n.*\\n2\\. credited in L2 block ${credited}, .* UTC, 10 confirmations by its anchor\\n   4,998,000 sats for ${RECIPIENT}\\n`,
      'm',
    ),
  );
  expect(story.output).toMatch(
    new RegExp(`held by the state of keystone block ${keystone.l2_block_number}, [^]*anchored in Bitcoin block 117, .* UTC, 10 confirmations`),
  );

  const file = join(directory, 'proof.json');
  const proven = await hemid('prove', txid, '-o', file, '--rpc', url);
  expect(proven.code).toBe(0);
  const checkpoint = /--checkpoint ([0-9]+:[0-9a-f]{64})/.exec(proven.output)?.[1] ?? '';
  expect(checkpoint).toBe(`111:${await bitcoind.rpc('getblockhash', [111])}`);

  // The checkpoint may be given, and named by its hash: what the node has there must be that.
  const proveFrom = (hash: string) => runProvenance('prove', [txid, '-o', file, '--rpc', url, '--checkpoint', `110:${hash}`], {});
  await expect(proveFrom('00'.repeat(32))).rejects.toMatchObject({
    code: 'node/other-checkpoint',
    message: expect.stringMatching(/^the node has [0-9a-f]{64} at Bitcoin height 110, and not the checkpoint 0{64}: /),
  });
  const trusted = (await bitcoind.rpc('getblockhash', [110])) as string;
  expect(await proveFrom(trusted)).toContain(`--checkpoint 110:${trusted}`);

  // From here on nothing but the file, the chain spec and a block that somebody trusts.
  expect(await node.program.stop()).toBe(0);
  const verified = await hemid('verify', file, '--chain', chain, '--checkpoint', checkpoint);
  expect(verified).toMatchObject({ code: 0, output: expect.stringContaining(`the proof holds: deposit ${txid}, 10 Bitcoin blocks deep`) });
  expect(verified.output).toContain('this does not prove\n- that the block was executed correctly');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/"lock":.*?"transaction":"0x../, (text) => `${text.slice(0, -2)}99`),
  );
  const spoilt = await hemid('verify', file, '--chain', chain, '--checkpoint', checkpoint);
  expect(spoilt).toMatchObject({ code: 1, output: expect.stringMatching(/^hemid: lock: .* \(provenance\/lock\)$/m) });
}, 120_000);
