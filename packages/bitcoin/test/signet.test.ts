import { concat, DEFAULT_SIGNET_CHALLENGE, isHemidError, toDigits } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BitcoinBlock, checkSignetSolution, createBlockCheck, createBlockStore, parseBlock } from '../src/index.ts';
import { decodeSolution } from '../src/signet-solution.ts';
import { alice, asSection, bob, bytes, carol, makeSignetBlock, push, type Signer, type Wanted } from './signet-block.ts';
import { SIGNET_BLOCKS } from './signet-blocks.ts';

const oneKey = concat(push(alice.publicKey), bytes(0xac));
const twoOfThree = concat(bytes(0x52), ...[alice, bob, carol].map(({ publicKey }) => push(publicKey)), bytes(0x53, 0xae));

const makeBlock = (wanted: Wanted): BitcoinBlock => parseBlock(makeSignetBlock(wanted));
const verdictOf = (wanted: Wanted): string | undefined => checkSignetSolution(makeBlock(wanted), wanted.challenge);

describe('blocks of the default signet', () => {
  const blocks = SIGNET_BLOCKS.map(parseBlock);

  it('solve its challenge, and no other', () => {
    const twoOfTwo = concat(bytes(0x52), DEFAULT_SIGNET_CHALLENGE.subarray(1));
    for (const block of blocks) {
      expect(checkSignetSolution(block, DEFAULT_SIGNET_CHALLENGE)).toBeUndefined();
      expect(checkSignetSolution(block, twoOfTwo)).toMatch(/does not solve/);
      expect(checkSignetSolution(block, twoOfThree)).toMatch(/does not solve/);
    }
  });

  it('are signed for their version, parent, transactions and time; bits and nonce are free', () => {
    const [block, other] = blocks as [BitcoinBlock, BitcoinBlock];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 79 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const header = block.header.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        const isSigned = at < 36 || (at >= 68 && at < 72);
        // The merkle root is compared with the body when the block is parsed.
        expect(checkSignetSolution({ ...block, header }, DEFAULT_SIGNET_CHALLENGE) !== undefined).toBe(isSigned);
      }),
    );
    const [coinbase] = block.transactions;
    const more = [coinbase, ...other.transactions] as BitcoinBlock['transactions'];
    expect(checkSignetSolution({ ...block, transactions: more }, DEFAULT_SIGNET_CHALLENGE)).toMatch(/does not solve/);
  });

  it('with any bit of the coinbase changed solve nothing', () => {
    const [raw] = SIGNET_BLOCKS as [Uint8Array];
    const { length } = raw;
    fc.assert(
      fc.property(fc.integer({ min: 81, max: length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = raw.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        let coinbase: Transaction;
        try {
          coinbase = Transaction.fromBuffer(changed.subarray(81));
        } catch {
          return;
        }
        const [old] = blocks as [BitcoinBlock];
        const inputs = coinbase.ins.map(({ hash, index, script, sequence, witness }) => ({
          txid: hash,
          vout: index,
          scriptSig: script,
          sequence,
          witness,
        }));
        const outputs = coinbase.outs.map(({ value, script }) => ({ valueSats: value, script }));
        const { version, locktime } = coinbase;
        const transaction = { txid: coinbase.getHash(), version, locktime, isCoinbase: true, inputs, outputs };
        // The witness is bound by its commitment, which parseBlock checks.
        const isWitness = at >= length - 4 - 34 && at < length - 4;
        const verdict = checkSignetSolution({ ...old, transactions: [transaction] }, DEFAULT_SIGNET_CHALLENGE);
        expect(verdict === undefined).toBe(isWitness);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a custom challenge', () => {
  it('of one key is solved by its signature, of any hash type, and by no other key', () => {
    for (const hashType of [0x01, 0x02, 0x03, 0x81, 0x82, 0x83]) {
      expect(verdictOf({ challenge: oneKey, solve: (signed) => asSection(push(signed(alice, hashType))) })).toBeUndefined();
    }
    expect(verdictOf({ challenge: oneKey, solve: (signed) => asSection(push(signed(bob))) })).toMatch(/does not solve/);
    expect(verdictOf({ challenge: oneKey, solve: () => asSection(bytes(0)) })).toMatch(/does not solve/);
    expect(verdictOf({ challenge: oneKey, solve: () => asSection(new Uint8Array()) })).toMatch(/does not solve/);
  });

  it('of two of three keys is solved by two in the order of the keys, behind a null dummy', () => {
    const by = (...signers: Signer[]): string | undefined =>
      verdictOf({ challenge: twoOfThree, solve: (signed) => asSection(concat(bytes(0), ...signers.map((signer) => push(signed(signer))))) });
    expect(by(alice, bob)).toBeUndefined();
    expect(by(alice, carol)).toBeUndefined();
    expect(by(bob, carol)).toBeUndefined();
    expect(by(bob, alice)).toMatch(/does not solve/);
    expect(by(alice, alice)).toMatch(/does not solve/);
    expect(by(alice)).toMatch(/does not solve/);
    const dummy = verdictOf({
      challenge: twoOfThree,
      solve: (signed) => asSection(concat(bytes(0x51), push(signed(alice)), push(signed(bob)))),
    });
    expect(dummy).toMatch(/does not solve/);
    // Consensus does not ask for a clean stack.
    const unclean = verdictOf({
      challenge: twoOfThree,
      solve: (signed) => asSection(concat(bytes(0x51), bytes(0), push(signed(alice)), push(signed(bob)))),
    });
    expect(unclean).toBeUndefined();
  });

  it('is not solved by a section that is malformed, with a witness, or not there', () => {
    const of = (change: (section: Uint8Array) => Uint8Array): string | undefined =>
      verdictOf({ challenge: oneKey, solve: (signed) => change(asSection(push(signed(alice)))) });
    expect(of((section) => section)).toBeUndefined();
    expect(of((section) => concat(section, bytes(0)))).toMatch(/does not parse/);
    expect(of((section) => section.subarray(0, -1))).toMatch(/does not parse/);
    expect(of((section) => concat(bytes(0xfd, section[0] ?? 0, 0), section.subarray(1)))).toMatch(/does not parse/);
    expect(of((section) => concat(section.subarray(0, -1), bytes(1, 1, 9)))).toMatch(/does not solve/);
    expect(of(() => new Uint8Array())).toMatch(/no solution/);
  });

  it('that is no bare multisig or single key is refused by its kind, before any block', () => {
    const key = alice.publicKey;
    const kinds: [string, Uint8Array][] = [
      ['nonstandard', bytes(0x51)],
      ['pubkeyhash', concat(bytes(0x76, 0xa9, 20), new Uint8Array(20), bytes(0x88, 0xac))],
      ['scripthash', concat(bytes(0xa9, 20), new Uint8Array(20), bytes(0x87))],
      ['witness_v0_keyhash', concat(bytes(0, 20), new Uint8Array(20))],
      ['witness_v1_taproot', concat(bytes(0x51, 32), new Uint8Array(32))],
      ['pubkey', concat(bytes(0x4c, 33), key, bytes(0xac))],
    ];
    for (const [kind, signetChallenge] of kinds) {
      try {
        createBlockCheck({ signetChallenge });
        expect.unreachable(kind);
      } catch (error) {
        if (!isHemidError(error, 'bitcoin/signet-challenge')) throw error;
        expect([error.details['kind'], error.severity]).toEqual([kind, 'fatal']);
        expect(error.message).toContain(toDigits(signetChallenge));
      }
    }
  });
});

describe('the block store of a signet', () => {
  it('keeps solved blocks only', async () => {
    const blocks = createBlockStore(await openMemoryStore(), createBlockCheck({ signetChallenge: DEFAULT_SIGNET_CHALLENGE }));
    const other = createBlockStore(await openMemoryStore(), createBlockCheck({ signetChallenge: twoOfThree }));
    for (const raw of SIGNET_BLOCKS) {
      const { hash } = await blocks.keep(raw);
      expect(blocks.has(hash)).toBe(true);
      await expect(other.keep(raw)).rejects.toMatchObject({ code: 'bitcoin/block-invalid', severity: 'invalid' });
      expect(other.has(hash)).toBe(false);
    }
  });

  it('asks nothing more of a block elsewhere', async () => {
    const blocks = createBlockStore(await openMemoryStore(), createBlockCheck({ signetChallenge: undefined }));
    expect((await blocks.keep(SIGNET_BLOCKS[0] as Uint8Array)).transactions.length).toBe(1);
  });
});

it('random bytes are a solution that was written so, or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (section) => {
      const solution = decodeSolution(section);
      if (solution === undefined) return;
      const written = [asSection(solution.scriptSig, bytes(solution.witness.length)), ...solution.witness.map(push)];
      expect(toDigits(concat(...written))).toBe(toDigits(section));
    }),
    { numRuns: 2000 },
  );
});
