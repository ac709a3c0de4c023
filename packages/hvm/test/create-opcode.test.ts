import { type BitcoinView, fromBigEndian, fromHex, type Hex } from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble, createLab, type Opcode } from './lab.ts';

let network: TestNetwork;
let view: BitcoinView;
beforeAll(async () => {
  network = await createTestNetwork();
  const { chain } = network.sequencer.node;
  view = chain.viewAt(chain.head('latest'));
});
afterAll(() => network.close());

const CREATOR = `0x${'c0'.repeat(20)}` as const;
const CALLER = `0x${'c1'.repeat(20)}` as const;
const GAS = 2_000_000n;

/** What came of a contract that creates another with init code of this beginning and size. */
async function create(opcode: Opcode, { begins, size, called }: { begins: number; size: number; called: 'directly' | 'static' }) {
  const salt = opcode === 'CREATE2' ? [7] : [];
  const place = [`0x${begins.toString(16)}${'00'.repeat(30)}` as Hex, 0, 'MSTORE', ...salt, size, 0, 0] as const;
  const program = assemble(...place, opcode, 1, 'ADD', 0, 'SSTORE', 'RETURNDATASIZE', 1, 'SSTORE');
  // With all but 1/64 of its gas.
  const statically = assemble(0, 0, 0, 0, CREATOR, 'GAS', 'STATICCALL', 1, 'ADD', 0, 'SSTORE');
  const lab = await createLab(network.spec, {
    view,
    allocation: { [CREATOR]: { nonce: 1, code: program }, [CALLER]: { nonce: 1, code: statically } },
  });
  const to = fromHex(called === 'static' ? CALLER : CREATOR);
  const { receipts } = await lab.build(async (block) => block.user(await lab.sign(0, { to, gas: GAS })));
  const slot = async (index: number): Promise<bigint> =>
    fromBigEndian(await lab.state().storage(to, fromHex(`0x${index.toString(16).padStart(64, '0')}`)));
  const nonce = (await lab.state().account(fromHex(CREATOR)))?.nonce;
  return { succeeded: receipts[0]?.succeeded, gasUsed: receipts[0]?.gasUsed, slots: [await slot(0), await slot(1)], nonce };
}

for (const opcode of ['CREATE', 'CREATE2'] as const) {
  test(`${opcode} executes init code that looks like EOF: its first byte is no opcode, and takes all gas`, async () => {
    const sizes = [1, 2, 32, 49_152, 49_153];
    for (const called of ['directly', 'static'] as const) {
      for (const size of sizes) {
        const made = await create(opcode, { begins: 0xef00, size, called });
        expect({ size, called, ...made }).toEqual({ size, called, ...(await create(opcode, { begins: 0xfe00, size, called })) });
        if (called === 'static' || size > 49_152) continue;
        // The address that was not created is 0; the nonce of the creator was used up.
        expect(made).toMatchObject({ succeeded: true, slots: [1n, 0n], nonce: 2n });
        expect(made.gasUsed).toBeGreaterThan((GAS * 9n) / 10n);
      }
    }
  });
}

test('init code that is none of that is created as ever', async () => {
  // Returns nothing: an account without code.
  for (const opcode of ['CREATE', 'CREATE2'] as const) {
    const made = await create(opcode, { begins: 0x5f5f, size: 32, called: 'directly' });
    expect(made).toMatchObject({ succeeded: true, nonce: 2n });
    expect(made.slots[0]).toBeGreaterThan(1n);
    expect(made.gasUsed).toBeLessThan(200_000n);
  }
});
