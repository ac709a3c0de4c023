import { concat, hashBitcoinHeader, hasProofOfWork, toDigits } from '@hemid/protocol';
import { startBitcoind } from '@hemid/testkit';
import { expect, test } from 'vitest';
import { checkSignetSolution, parseBlock } from '../src/index.ts';
import { alice, asSection, bob, bytes, carol, makeSignetBlock, push, type Signer } from './signet-block.ts';
import { SIGNET_GENESIS } from './signet-blocks.ts';

const BITS = 0x1e0377ae;
const TIME = 1_598_918_400 + 600;
const twoOfThree = concat(bytes(0x52), ...[alice, bob, carol].map(({ publicKey }) => push(publicKey)), bytes(0x53, 0xae));

/** First blocks of a signet of our own. Their nonces took some millions of tries, and stay right while the block does. */
const CASES: { name: string; signers: Signer[]; dummy: number; nonce: number; verdict: string | null }[] = [
  { name: 'signatures in the wrong order', signers: [carol, alice], dummy: 0, nonce: 3_576_914, verdict: 'bad-signet-blksig' },
  { name: 'a dummy that is not null', signers: [alice, carol], dummy: 0x51, nonce: 8_468_674, verdict: 'bad-signet-blksig' },
  { name: 'two of three signatures', signers: [alice, carol], dummy: 0, nonce: 102_294, verdict: null },
];

test('a real bitcoind and this node agree on the blocks of a signet with a custom challenge', async () => {
  const args = ['-regtest=0', '-signet', `-signetchallenge=${toDigits(twoOfThree)}`];
  const bitcoind = await startBitcoind({ args });
  try {
    for (const { name, signers, dummy, nonce, verdict } of CASES) {
      const raw = makeSignetBlock({
        challenge: twoOfThree,
        solve: (signed) => asSection(concat(bytes(dummy), ...signers.map((signer) => push(signed(signer))))),
        previous: hashBitcoinHeader(SIGNET_GENESIS),
        time: TIME,
        bits: BITS,
        nonce,
        others: [],
      });
      const block = parseBlock(raw);
      expect([name, hasProofOfWork('signet', block.hash, BITS)]).toEqual([name, true]);
      expect([name, await bitcoind.rpc('submitblock', [toDigits(raw)])]).toEqual([name, verdict]);
      expect([name, checkSignetSolution(block, twoOfThree) === undefined]).toEqual([name, verdict === null]);
    }
    expect(await bitcoind.rpc('getblockcount', [])).toBe(1);
  } finally {
    await bitcoind.stop();
  }
});
