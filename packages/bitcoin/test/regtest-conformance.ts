import type { BitcoinRpc } from '@hemid/bitcoin';
import { concat, isHemidError, toDigits, toDisplay } from '@hemid/protocol';
import { buildTransaction, coinOf, createBitcoinWallet, multisigOf, signTransaction, type WalletCoin, type WalletOutput } from '@hemid/testkit';
import { Block, type Transaction } from 'bitcoinjs-lib';
import { makeBlock } from './conformance/make-block.ts';
import { normalise, normaliseMessage } from './conformance/normalise.ts';
import { highS, spoil, withNullInput } from './conformance/spoil.ts';

/** A Bitcoin node under test, empty, with a clock that stands still until it is set. */
export interface ConformanceSubject {
  rpc: BitcoinRpc;
  setTime(seconds: number): Promise<void>;
}

/** One call and what came of it. */
export interface TranscriptLine {
  step: string;
  method: string;
  result?: unknown;
  error?: { code: number; message: string };
}

const START_SECONDS = 1_750_000_000;

/**
 * Runs one story against a node and writes down every answer. Keys, times and signatures are fixed, so two nodes with
 * the same rules give the same blocks and the same transcript, down to the hashes.
 */
export async function runConformance({ rpc, setTime }: ConformanceSubject): Promise<TranscriptLine[]> {
  const lines: TranscriptLine[] = [];

  async function call(step: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
    try {
      const result = await rpc(method, params);
      lines.push({ step, method, result: normalise(method, result) });
      return result;
    } catch (error) {
      if (!isHemidError(error) || error.code !== 'bitcoin/rpc') throw error;
      const { rpcCode, rpcMessage } = error.details as { rpcCode: number; rpcMessage: string };
      lines.push({ step, method, error: { code: rpcCode, message: normaliseMessage(method, rpcMessage) } });
      return undefined;
    }
  }

  const alice = createBitcoinWallet({ rpc, secret: 'conformance alice' });
  const bob = createBitcoinWallet({ rpc, secret: 'conformance bob' });
  const carol = createBitcoinWallet({ rpc, secret: 'conformance carol' });
  const pay = (
    inputs: readonly WalletCoin[],
    outputs: readonly WalletOutput[],
    more: { sequence?: number; locktime?: number; version?: number } = {},
  ): Transaction => signTransaction(buildTransaction({ inputs, outputs, ...more }), inputs, [alice.secretKey]);
  const toBob = (valueSats: bigint): WalletOutput => ({ to: bob.addresses.p2wpkh, valueSats });
  const data = (bytes: number, valueSats = 0n): WalletOutput => ({
    to: concat(Uint8Array.of(0x6a, 0x4c, bytes), new Uint8Array(bytes).fill(7)),
    valueSats,
  });
  const send = (step: string, tx: Transaction): Promise<unknown> => call(step, 'sendrawtransaction', [tx.toHex()]);
  const test = (step: string, tx: Transaction): Promise<unknown> => call(step, 'testmempoolaccept', [[tx.toHex()]]);
  const tip = async (): Promise<string> => (await rpc('getbestblockhash', [])) as string;
  const snapshot = async (step: string): Promise<void> => {
    for (const method of ['getblockchaininfo', 'getblockcount', 'getbestblockhash', 'getchaintips', 'getrawmempool']) await call(step, method);
    await call(step, 'getrawmempool', [true]);
    await call(step, 'scantxoutset', [
      'start',
      [alice, bob, carol].flatMap(({ addresses }) => Object.values(addresses).map((address) => `addr(${address})`)),
    ]);
  };

  // An empty chain.
  await setTime(START_SECONDS);
  const genesis = (await call('genesis', 'getblockhash', [0])) as string;
  await snapshot('genesis');
  await call('genesis', 'getblockheader', [genesis]);
  await call('genesis', 'getblockheader', [genesis, false]);
  await call('genesis', 'getblock', [genesis, 0]);
  await call('genesis', 'getblock', [genesis, 1]);
  await call('genesis', 'getnetworkinfo');
  await call('genesis', 'estimatesmartfee', [2]);
  await call('genesis', 'gettxout', ['4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b', 0]);

  // Mining: 1..3 pay Alice's three kinds of address, then up to 101, so that two coins are mature.
  await call('mine', 'generatetoaddress', [1, alice.addresses.p2pkh]);
  await call('mine', 'generatetoaddress', [1, alice.addresses.p2wpkh]);
  await call('mine', 'generatetoaddress', [1, alice.addresses.p2tr]);
  await call('mine', 'generatetoaddress', [6, alice.addresses.p2wpkh]);
  await call('mine', 'generatetoaddress', [92, bob.addresses.p2wpkh]);
  await snapshot('mine');
  await call('mine', 'getblock', [await tip(), 1]);
  await call('mine', 'getblock', [await tip(), false]);
  await call('mine', 'getblockheader', [await tip()]);

  // Maturity.
  const coinAt = async (height: number, script: Uint8Array): Promise<WalletCoin> => {
    const block = Block.fromHex((await rpc('getblock', [await rpc('getblockhash', [height]), 0])) as string);
    const coinbase = block.transactions?.[0] as Transaction;
    return { txid: toDisplay(coinbase.getHash()), vout: 0, valueSats: 5_000_000_000n, script };
  };
  const [p2pkh, p2wpkh, p2tr] = [await coinAt(1, alice.scripts.p2pkh), await coinAt(2, alice.scripts.p2wpkh), await coinAt(3, alice.scripts.p2tr)];
  await send('maturity: too early', pay([p2tr], [toBob(4_999_990_000n)]));
  await test('maturity: too early', pay([p2tr], [toBob(4_999_990_000n)]));
  await call('maturity', 'generatetoaddress', [10, bob.addresses.p2wpkh]);

  // Spending each kind of output.
  const multisig = multisigOf(2, [alice.publicKey, bob.publicKey, carol.publicKey]);
  const fan = pay(
    [p2pkh],
    [
      { to: multisig.address, valueSats: 1_000_000_000n },
      { to: alice.addresses.p2tr, valueSats: 1_000_000_000n },
      { to: alice.addresses.p2wpkh, valueSats: 1_000_000_000n },
      { to: alice.addresses.p2pkh, valueSats: 1_999_000_000n },
    ],
  );
  await test('p2pkh', fan);
  await send('p2pkh', fan);
  await send('p2pkh: sent again', fan);
  await test('p2pkh: sent again', fan);
  const fanId = toDisplay(fan.getHash());
  await call('p2pkh', 'getmempoolentry', [fanId]);
  await call('p2pkh', 'getrawtransaction', [fanId]);
  await call('p2pkh', 'getrawtransaction', [fanId, true]);
  for (const vout of [0, 1, 2, 3, 4]) await call('p2pkh', 'gettxout', [fanId, vout]);
  await call('p2pkh', 'gettxout', [fanId, 0, false]);
  await call('p2pkh', 'gettxout', [p2pkh.txid, 0]);
  await call('p2pkh', 'gettxout', [p2pkh.txid, 0, false]);
  await send('p2wpkh and p2tr', pay([p2wpkh, p2tr], [toBob(9_999_990_000n)]));
  const shared = coinOf(fan, 0, multisig.witnessScript);
  const fromShared = buildTransaction({ inputs: [shared], outputs: [toBob(999_990_000n)] });
  for (const [step, keys] of [
    ['p2wsh: keys in the wrong order', [carol, alice]],
    ['p2wsh: one key twice', [alice, alice]],
    ['p2wsh: two of three', [alice, carol]],
  ] as const) {
    const signed = signTransaction(
      fromShared.clone(),
      [shared],
      keys.map(({ secretKey }) => secretKey),
    );
    await test(step, signed);
    await send(step, signed);
  }
  await snapshot('spends');
  const spends = (await call('spends', 'generatetoaddress', [1, carol.addresses.p2wpkh])) as string[];
  await call('spends', 'getblock', [spends[0], 0]);
  await call('spends', 'getblock', [spends[0], 1]);
  await call('spends', 'getrawtransaction', [fanId, true, spends[0]]);
  await call('spends', 'getrawtransaction', [fanId, false, spends[0]]);
  await call('spends', 'getrawtransaction', [fanId]);
  await send('spends: already mined', fan);
  await test('spends: already mined', fan);

  // Bad signatures, one per kind of output.
  const [taproot, keyHash, legacy] = [coinOf(fan, 1), coinOf(fan, 2), coinOf(fan, 3)];
  for (const [name, coin] of Object.entries({ taproot, keyHash, legacy })) {
    const good = pay([coin], [toBob(coin.valueSats - 10_000n)]);
    for (const [fault, tx] of Object.entries(spoil(good))) {
      await test(`${name}: ${fault}`, tx);
      await send(`${name}: ${fault}`, tx);
    }
    const foreign = signTransaction(buildTransaction({ inputs: [coin], outputs: [toBob(coin.valueSats - 10_000n)] }), [coin], [bob.secretKey]);
    await test(`${name}: somebody else's key`, foreign);
  }
  for (const hashType of [2, 3, 0x81, 0x82, 0x83]) {
    const inputs = [taproot, keyHash, legacy];
    const tx = buildTransaction({ inputs, outputs: [toBob(1_000_000_000n), toBob(1_000_000_000n), toBob(1_000_000_000n)] });
    await test(`hash type ${hashType}`, signTransaction(tx, inputs, [alice.secretKey], hashType));
    const bare = buildTransaction({ inputs, outputs: [toBob(3_998_000_000n)] });
    await test(`hash type ${hashType}, one output`, signTransaction(bare, inputs, [alice.secretKey], hashType));
  }

  // Standardness.
  const change = (fee: bigint, ...others: bigint[]): WalletOutput => ({
    to: alice.addresses.p2wpkh,
    valueSats: keyHash.valueSats - fee - others.reduce((a, b) => a + b, 0n),
  });
  const cases: Record<string, Transaction> = {
    'data: 83 bytes': pay([keyHash], [change(1000n), data(80)]),
    'data: 84 bytes': pay([keyHash], [change(1000n), data(81)]),
    'data: two outputs': pay([keyHash], [change(1000n), data(20), data(20)]),
    'data: alone': pay([keyHash], [data(80)]),
    'dust: 293 to p2wpkh': pay([keyHash], [change(1000n, 293n), toBob(293n)]),
    'dust: 294 to p2wpkh': pay([keyHash], [change(1000n, 294n), toBob(294n)]),
    'dust: 545 to p2pkh': pay([keyHash], [change(1000n, 545n), { to: bob.addresses.p2pkh, valueSats: 545n }]),
    'dust: 546 to p2pkh': pay([keyHash], [change(1000n, 546n), { to: bob.addresses.p2pkh, valueSats: 546n }]),
    'dust: 329 to p2tr': pay([keyHash], [change(1000n, 329n), { to: bob.addresses.p2tr, valueSats: 329n }]),
    'fee: 140 sats for 141 vbytes': pay([keyHash], [change(140n, 5000n), toBob(5000n)]),
    'fee: 10 sats': pay([keyHash], [change(10n, 5000n), toBob(5000n)]),
    'fee: none': pay([keyHash], [change(0n)]),
    'fee: less than nothing': pay([keyHash], [change(-1n)]),
    'fee: above what the caller allows': pay([keyHash], [toBob(10_000n)]),
    'version 0': pay([keyHash], [change(1000n)], { version: 0 }),
    'version 3': pay([keyHash], [change(1000n)], { version: 3 }),
    'version 4': pay([keyHash], [change(1000n)], { version: 4 }),
    'script: nonstandard': pay([keyHash], [change(1000n, 1000n), { to: Uint8Array.of(0x51, 0x87), valueSats: 1000n }]),
    'script: bare key': pay(
      [keyHash],
      [change(1000n, 1000n), { to: concat(Uint8Array.of(33), bob.publicKey, Uint8Array.of(0xac)), valueSats: 1000n }],
    ),
    'script: bare multisig': pay([keyHash], [change(1000n, 1000n), { to: multisig.witnessScript, valueSats: 1000n }]),
    'script: future witness': pay([keyHash], [change(1000n, 1000n), { to: concat(Uint8Array.of(0x52, 32), new Uint8Array(32)), valueSats: 1000n }]),
    'inputs: unknown': pay([{ ...keyHash, txid: '77'.repeat(32) }], [change(1000n)]),
    'inputs: no such output': pay([{ ...keyHash, vout: 9 }], [change(1000n)]),
    'inputs: twice the same': pay([keyHash, keyHash], [change(1000n)]),
    'inputs: null': pay([keyHash, { ...keyHash, txid: '00'.repeat(32), vout: 0xffffffff }], [change(1000n)]),
    'outputs: none': pay([keyHash], []),
    'outputs: 21 million and one': pay([keyHash], [toBob(2_100_000_000_000_001n)]),
    'locktime: next block': pay([keyHash], [change(1000n)], { locktime: 111 }),
    'locktime: the block after': pay([keyHash], [change(1000n)], { locktime: 113 }),
    'locktime: later, all inputs final': pay([keyHash], [change(1000n)], { locktime: 500, sequence: 0xffffffff }),
    'locktime: median time': pay([keyHash], [change(1000n)], { locktime: START_SECONDS }),
    'locktime: time ahead': pay([keyHash], [change(1000n)], { locktime: START_SECONDS + 10_000 }),
    'sequence: 1 block': pay([keyHash], [change(1000n)], { sequence: 1 }),
    'sequence: 2 blocks': pay([keyHash], [change(1000n)], { sequence: 2 }),
    'sequence: 2 blocks, version 1': pay([keyHash], [change(1000n)], { sequence: 2, version: 1 }),
    'sequence: 0 seconds': pay([keyHash], [change(1000n)], { sequence: 0x00400000 }),
    'sequence: 512 seconds': pay([keyHash], [change(1000n)], { sequence: 0x00400001 }),
    'a coinbase': withNullInput(pay([keyHash], [change(1000n)])),
  };
  for (const [step, tx] of Object.entries(cases)) await test(step, tx);
  for (const step of [
    'data: 84 bytes',
    'data: two outputs',
    'fee: 10 sats',
    'fee: less than nothing',
    'fee: above what the caller allows',
    'inputs: unknown',
    'outputs: none',
    'locktime: the block after',
    'sequence: 2 blocks',
    'a coinbase',
  ]) {
    await send(step, cases[step] as Transaction);
  }
  await send('data: burnt coins', pay([keyHash], [change(1000n, 1n), data(80, 1n)]));
  await call('fee limit of the caller', 'sendrawtransaction', [(cases['data: 83 bytes'] as Transaction).toHex(), 0.00001]);
  await call('fee limit of the caller', 'testmempoolaccept', [[(cases['data: 83 bytes'] as Transaction).toHex()], '0.00001']);
  await send('data: 83 bytes', cases['data: 83 bytes'] as Transaction);
  await call('data: 83 bytes', 'getrawtransaction', [toDisplay((cases['data: 83 bytes'] as Transaction).getHash()), true]);

  // Replacement; the transaction with data pays 1000 sats and is spent by a child.
  const first = cases['data: 83 bytes'] as Transaction;
  const child = pay([coinOf(first, 0)], [toBob(coinOf(first, 0).valueSats - 2000n)]);
  await send('replace: a child', child);
  await call('replace: a child', 'getmempoolentry', [toDisplay(first.getHash())]);
  await call('replace: a child', 'getmempoolentry', [toDisplay(child.getHash())]);
  const many = Array.from({ length: 30 }, () => toBob(1000n));
  await send('replace: pays more at a lower rate', pay([keyHash], [change(5000n, 30_000n), ...many]));
  for (const fee of [1000n, 1100n, 2999n, 3000n, 3100n, 4000n]) {
    const tx = pay([keyHash], [change(fee), data(80)]);
    await test(`replace: pays ${fee}`, tx);
    await send(`replace: pays ${fee}`, tx);
  }
  await call('replace', 'getrawmempool');
  await call('replace', 'getmempoolentry', [toDisplay(first.getHash())]);
  const replacement = pay([keyHash], [change(4000n), data(80)]);
  const both = [keyHash, coinOf(replacement, 0)];
  await send('replace: spends what it replaces', pay(both, [toBob(1_900_000_000n)]));
  await send('replace: no signal', pay([legacy], [toBob(legacy.valueSats - 1000n)], { sequence: 0xffffffff }));
  await send('replace: full', pay([legacy], [toBob(legacy.valueSats - 2000n)], { sequence: 0xffffffff }));

  // A chain of unconfirmed transactions, up to the limit.
  let last = replacement;
  for (let i = 1; i <= 25; i += 1) {
    last = pay([coinOf(last, 0)], [{ to: alice.addresses.p2wpkh, valueSats: coinOf(last, 0).valueSats - 1000n }]);
    await send(`chain: link ${i}`, last);
  }
  const parentLess = pay([coinOf(last, 0)], [toBob(1000n)]);
  await send('chain: parent was refused', parentLess);
  await snapshot('chain');
  await setTime(START_SECONDS + 600);
  const full = (await call('chain', 'generatetoaddress', [1, carol.addresses.p2wpkh])) as string[];
  await call('chain', 'getblock', [full[0], 1]);
  await snapshot('chain mined');

  // Reorganisation: three blocks with payments, taken back, replaced, and reconsidered.
  const funds = await alice.coins('p2wpkh');
  const payments: Transaction[] = [];
  const branch: string[] = [];
  for (const coin of funds.slice(0, 3)) {
    const tx = pay([coin], [toBob(1_000_000n), { to: alice.addresses.p2wpkh, valueSats: coin.valueSats - 1_010_000n }]);
    payments.push(tx);
    await send('reorg: payment', tx);
    branch.push(...((await call('reorg', 'generatetoaddress', [1, carol.addresses.p2wpkh])) as string[]));
  }
  const spendsCoinbase = await maturing(rpc, bob.scripts.p2wpkh);
  const fresh = signTransaction(buildTransaction({ inputs: [spendsCoinbase], outputs: [toBob(4_999_000_000n)] }), [spendsCoinbase], [bob.secretKey]);
  await send('reorg: spends a coinbase that is just mature', fresh);
  await call('reorg', 'invalidateblock', [branch[1]]);
  await snapshot('reorg: invalidated');
  await call('reorg: invalidated', 'getblockheader', [branch[1]]);
  await call('reorg: invalidated', 'getblockheader', [branch[2]]);
  await call('reorg: the same block again', 'generatetoaddress', [1, carol.addresses.p2wpkh]);
  await setTime(START_SECONDS + 700);
  const other = (await call('reorg: another branch', 'generatetoaddress', [2, bob.addresses.p2tr])) as string[];
  await call('reorg: another branch', 'getblock', [other[0], 1]);
  await snapshot('reorg: another branch');
  await call('reorg', 'reconsiderblock', [branch[1]]);
  await snapshot('reorg: reconsidered');
  await call('reorg', 'generatetoaddress', [1, bob.addresses.p2tr]);
  await snapshot('reorg: decided');

  // Blocks from outside.
  const parentId = await tip();
  const parentHex = (await rpc('getblock', [parentId, 0])) as string;
  const height = (await rpc('getblockcount', [])) as number;
  const now = START_SECONDS + 700;
  const submit = (step: string, block: Block): Promise<unknown> => call(step, 'submitblock', [block.toHex()]);
  await call('submit: known', 'submitblock', [parentHex]);
  await call('submit: not hex', 'submitblock', ['zz']);
  await call('submit: a header only', 'submitblock', [parentHex.slice(0, 160)]);
  await call('submit: trailing bytes', 'submitblock', [`${parentHex}00`]);
  const grand = (await rpc('getblockhash', [height - 1])) as string;
  const stale = makeBlock({ parent: grand, height, time: now + 1, script: carol.scripts.p2tr });
  await submit('submit: stale', stale);
  await submit('submit: stale again', stale);
  await call('submit: stale', 'getchaintips');
  const orphan = makeBlock({ parent: '11'.repeat(32), height: height + 1, time: now + 5, script: carol.scripts.p2tr });
  await submit('submit: orphan', orphan);
  const next = { parent: parentId, height: height + 1, time: now + 5, script: carol.scripts.p2tr };
  const bad: Record<string, Block> = {
    'work missing': makeBlock({ ...next, work: 'missing' }),
    'easier bits': makeBlock({ ...next, bits: 0x2100ffff }),
    'harder bits': makeBlock({ ...next, bits: 0x207ffffe }),
    'too old': makeBlock({ ...next, time: START_SECONDS }),
    'too new': makeBlock({ ...next, time: now + 7201 }),
    'version 3': makeBlock({ ...next, version: 3 }),
    'wrong height': makeBlock({ ...next, height: height + 2 }),
    'no height': makeBlock({ ...next, height: 0 }),
    'too much': makeBlock({ ...next, valueSats: 5_000_000_001n }),
    'wrong merkle root': makeBlock({ ...next, merkleRoot: new Uint8Array(32) }),
    'wrong commitment': makeBlock({ ...next, commitment: new Uint8Array(32) }),
    'no transactions': makeBlock({ ...next, transactions: 'none' }),
    'a coin that is not there': makeBlock({ ...next, payments: [pay([{ ...keyHash, txid: '77'.repeat(32) }], [change(1000n)])] }),
    'a spent coin': makeBlock({ ...next, payments: [fan] }),
    'the same spend twice': makeBlock({ ...next, payments: [pay([p2wpkh], [toBob(1n)]), pay([p2wpkh], [toBob(2n)])] }),
    'an early coinbase': makeBlock({ ...next, payments: [pay([await coinAt(height - 5, bob.scripts.p2wpkh)], [toBob(1000n)])] }),
    'a second coinbase': makeBlock({ ...next, payments: [withNullInput(pay([p2wpkh], [toBob(1n)]))] }),
    'a transaction twice': makeBlock({ ...next, payments: [fan, fan] }),
    'an open lock time': makeBlock({ ...next, payments: [pay([p2wpkh], [toBob(1n)], { locktime: height + 5 })] }),
  };
  for (const [name, block] of Object.entries(bad)) {
    await submit(`submit: ${name}`, block);
    await submit(`submit: ${name}, again`, block);
  }
  const unspent = await alice.coins('p2wpkh');
  const coin = unspent[0] as WalletCoin;
  const value = coin.valueSats;
  const paying = (outs: WalletOutput[], more = {}): Transaction => pay([coin], outs, more);
  const chained = (made: Transaction): Transaction[] => [made, pay([coinOf(made, 0)], [toBob(value)]), pay([coinOf(made, 0)], [toBob(value - 1n)])];
  const doubtful: Record<string, Block> = {
    'a bad signature': makeBlock({ ...next, payments: [spoil(paying([toBob(value)]))['another amount'] as Transaction] }),
    'one coin spent twice': makeBlock({ ...next, payments: [paying([toBob(value)]), paying([toBob(value - 1n)])] }),
    'a coin of its own, spent twice': makeBlock({ ...next, payments: chained(paying([{ to: alice.addresses.p2wpkh, valueSats: value }])) }),
    'more out than in': makeBlock({ ...next, payments: [paying([toBob(value + 1n)])] }),
    'a locked sequence': makeBlock({ ...next, payments: [paying([toBob(value)], { sequence: 500 })] }),
    'without a commitment': makeBlock({ ...next, payments: [paying([toBob(value)])], commitment: 'none' }),
  };
  for (const [name, block] of Object.entries(doubtful)) await submit(`submit: ${name}`, block);
  await snapshot('submit: refused');
  // What is not standard is still valid: high S, a strange version, dust, no fee, two data outputs.
  const odd = paying([toBob(1n), data(200), data(20), toBob(value - 1n)], { version: 9 });
  await test('submit: nonstandard', odd);
  await submit('submit: nonstandard', makeBlock({ ...next, payments: [highS(odd)] }));
  await submit(
    'submit: without the witness of its coinbase',
    makeBlock({ ...next, parent: await tip(), height: height + 2, coinbaseWitness: 'none' }),
  );
  await snapshot('submit: accepted');
  await call('submit: taken back, nonstandard', 'invalidateblock', [await rpc('getblockhash', [height + 1])]);
  await snapshot('submit: taken back, nonstandard');

  // A branch handed in from outside overtakes the chain; then more blocks are taken back than transactions return from.
  const kept = (await alice.coins('p2wpkh'))[0] as WalletCoin;
  const rest = kept.valueSats - 10_000_000n;
  const early = pay([kept], [toBob(9_000_000n), { to: alice.addresses.p2wpkh, valueSats: rest }]);
  const base = await tip();
  const baseHeight = (await rpc('getblockcount', [])) as number;
  await send('overtake: payment', early);
  await call('overtake', 'generatetoaddress', [1, carol.addresses.p2wpkh]);
  const late = pay([coinOf(early, 1)], [{ to: alice.addresses.p2wpkh, valueSats: rest - 1000n }]);
  await send('overtake: payment', late);
  const side = makeBlock({ parent: base, height: baseHeight + 1, time: now + 20, script: bob.scripts.p2tr });
  await submit('overtake: level', side);
  await submit('overtake: ahead', makeBlock({ parent: side.getId(), height: baseHeight + 2, time: now + 21, script: bob.scripts.p2tr }));
  await snapshot('overtake');
  const deep = (await call('deep', 'generatetoaddress', [1, carol.addresses.p2wpkh])) as string[];
  await call('deep', 'generatetoaddress', [9, carol.addresses.p2wpkh]);
  await send('deep: payment', pay([coinOf(late, 0)], [toBob(rest - 2000n)]));
  await call('deep', 'generatetoaddress', [1, carol.addresses.p2wpkh]);
  await snapshot('deep');
  await call('deep', 'invalidateblock', [deep[0]]);
  await snapshot('deep: taken back');
  await call('deep', 'reconsiderblock', [deep[0]]);
  await snapshot('deep: back again');

  // Bad parameters.
  const no = 'ab'.repeat(32);
  const wrong: [string, unknown[]][] = [
    ['getblockhash', [100_000]],
    ['getblockhash', [-1]],
    ['getblockhash', ['7']],
    ['getblockhash', []],
    ['getblockhash', [1, 2]],
    ['getblockhash', [1.5]],
    ['getblockheader', [no]],
    ['getblockheader', ['abc']],
    ['getblockheader', ['zz'.repeat(32)]],
    ['getblockheader', [genesis, 'yes']],
    ['getblock', [no]],
    ['getblock', ['abc']],
    ['getblock', [7]],
    ['getblock', [genesis, 'x']],
    ['gettxout', [no, 0]],
    ['gettxout', ['abc', 0]],
    ['gettxout', [no, 'x']],
    ['gettxout', [no]],
    ['getmempoolentry', [no]],
    ['getmempoolentry', ['abc']],
    ['getrawmempool', ['x']],
    ['getrawtransaction', [no]],
    ['getrawtransaction', ['abc']],
    ['getrawtransaction', [no, false, genesis]],
    ['getrawtransaction', [no, false, no]],
    ['getrawtransaction', ['4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b']],
    ['sendrawtransaction', ['']],
    ['sendrawtransaction', ['zz']],
    ['sendrawtransaction', ['00']],
    ['sendrawtransaction', [7]],
    ['sendrawtransaction', []],
    ['sendrawtransaction', [`${fan.toHex()}00`]],
    ['sendrawtransaction', [fan.toHex(), 'x']],
    ['sendrawtransaction', [fan.toHex(), -1]],
    ['sendrawtransaction', [fan.toHex(), 1]],
    ['testmempoolaccept', [[]]],
    ['testmempoolaccept', ['x']],
    ['testmempoolaccept', [[7]]],
    ['testmempoolaccept', [['zz']]],
    ['scantxoutset', ['start']],
    ['scantxoutset', ['start', ['addr(x)']]],
    ['scantxoutset', ['start', ['raw(zz)']]],
    ['scantxoutset', ['start', [{}]]],
    ['scantxoutset', ['start', [{ desc: `raw(${toDigits(alice.scripts.p2tr)})` }]]],
    ['scantxoutset', ['start', [`addr(${alice.addresses.p2tr})#aaaaaaaa`]]],
    ['scantxoutset', ['start', [`addr(${alice.addresses.p2tr})#aa`]]],
    ['scantxoutset', ['status']],
    ['scantxoutset', ['abort']],
    ['scantxoutset', ['x']],
    ['generatetoaddress', [1, 'x']],
    ['generatetoaddress', [1, 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4']],
    ['generatetoaddress', ['1', alice.addresses.p2tr]],
    ['generatetoaddress', [0, alice.addresses.p2tr]],
    ['invalidateblock', [no]],
    ['invalidateblock', ['abc']],
    ['reconsiderblock', [no]],
    ['estimatesmartfee', [0]],
    ['estimatesmartfee', [1009]],
    ['estimatesmartfee', ['x']],
    ['estimatesmartfee', [6, 'x']],
    ['getblockcount', [1]],
    ['nosuchmethod', []],
  ];
  for (const [method, params] of wrong) await call(`bad parameters: ${JSON.stringify(params).slice(0, 60)}`, method, params);
  return lines;
}

/** A coinbase coin that may be spent in the next block, and in no earlier one. */
async function maturing(rpc: BitcoinRpc, script: Uint8Array): Promise<WalletCoin> {
  const height = ((await rpc('getblockcount', [])) as number) + 1 - 100;
  const block = Block.fromHex((await rpc('getblock', [await rpc('getblockhash', [height]), 0])) as string);
  const coinbase = block.transactions?.[0];
  if (coinbase === undefined) throw new Error('the block has no coinbase');
  return { txid: toDisplay(coinbase.getHash()), vout: 0, valueSats: 5_000_000_000n, script };
}
