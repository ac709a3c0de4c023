/** The stock engine as a process: @ethereumjs/vm with its own interpreter, its Merkle state manager and its own crypto. A beginning and then blocks come in as JSON lines; a result goes out for each block. */
import { createInterface } from 'node:readline';
import { createBlock } from '@ethereumjs/block';
import { type Common, ConsensusAlgorithm, ConsensusType, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager';
import { createTxFromRLP } from '@ethereumjs/tx';
import { Account, bigIntToBytes, bytesToHex, createAddressFromString, hexToBytes, setLengthLeft } from '@ethereumjs/util';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import { creationOpcodes } from '../../packages/hvm/src/create-opcode.ts';
import type { Beginning, BlockPlan, BlockResult, Outcome } from './engine.ts';

const HISTORY = createAddressFromString('0x0000f90827f1c53a10cb7a02335b175320002935');
const FEE_VAULT = createAddressFromString('0x4200000000000000000000000000000000000019');
const HISTORY_WINDOW = 8191n;

function osaka(chainId: number): Common {
  const forks = Object.values(Hardfork);
  const active = forks.slice(0, forks.indexOf(Hardfork.Osaka) + 1).filter((name) => Mainnet.hardforks.some((fork) => fork.name === name));
  return createCustomCommon(
    {
      name: 'differential',
      chainId,
      hardforks: active.map((name) => ({ name, block: 0 })),
      consensus: { type: ConsensusType.ProofOfStake, algorithm: ConsensusAlgorithm.Casper, casper: {} },
    },
    Mainnet,
    { hardfork: Hardfork.Osaka },
  );
}

async function begin({ chainId, accounts }: Beginning): Promise<{ vm: VM; hashes: Map<bigint, Uint8Array> }> {
  const common = osaka(chainId);
  const stateManager = new MerkleStateManager({ common, caches: new Caches() });
  for (const [hex, { balance, nonce = 0, code }] of Object.entries(accounts)) {
    const address = createAddressFromString(hex);
    await stateManager.putAccount(address, new Account(BigInt(nonce), BigInt(balance)));
    if (code !== undefined) await stateManager.putCode(address, hexToBytes(code));
  }
  const hashes = new Map<bigint, Uint8Array>();
  const blockchain = {
    getBlock: async (number: number) => ({ hash: () => hashes.get(BigInt(number)) ?? new Uint8Array(32) }),
    async putBlock() {},
    shallowCopy: () => blockchain,
  };
  // Its own would refuse what Ethereum executes.
  const evmOpts = { customOpcodes: creationOpcodes(common) };
  return { vm: await createVM({ common, stateManager, blockchain: blockchain as never, evmOpts }), hashes };
}

async function runOne(
  vm: VM,
  raw: `0x${string}`,
  input: { block: ReturnType<typeof createBlock>; blockGasUsed: bigint },
): Promise<{ outcome: Outcome; gas: bigint }> {
  try {
    const tx = createTxFromRLP(hexToBytes(raw), { common: vm.common });
    const result = await runTx(vm, { tx, ...input, skipHardForkValidation: true });
    const logs = result.receipt.logs.map(([address, topics, data]) => ({
      address: bytesToHex(address),
      topics: topics.map((topic) => bytesToHex(topic)),
      data: bytesToHex(data),
    }));
    const status = result.execResult.exceptionError === undefined ? 'succeeded' : 'failed';
    return { outcome: { status, gasUsed: result.totalGasSpent.toString(), logs }, gas: result.totalGasSpent };
  } catch {
    return { outcome: { status: 'refused', gasUsed: '0', logs: [] }, gas: 0n };
  }
}

async function runPlan({ vm, hashes }: { vm: VM; hashes: Map<bigint, Uint8Array> }, plan: BlockPlan): Promise<BlockResult> {
  const { common, stateManager } = vm;
  const number = BigInt(plan.number);
  const baseFee = BigInt(plan.baseFee);
  hashes.set(number - 1n, hexToBytes(plan.parentHash));
  const header = {
    parentHash: plan.parentHash,
    coinbase: plan.beneficiary,
    number,
    gasLimit: BigInt(plan.gasLimit),
    timestamp: BigInt(plan.timestamp),
    mixHash: plan.mixHash,
    baseFeePerGas: baseFee,
    excessBlobGas: 0n,
    blobGasUsed: 0n,
  };
  const block = createBlock({ header }, { common, skipConsensusFormatValidation: true });
  const slot = setLengthLeft(bigIntToBytes((number - 1n) % HISTORY_WINDOW), 32);
  await stateManager.putStorage(HISTORY, slot, hexToBytes(plan.parentHash));
  const outcomes: Outcome[] = [];
  let blockGasUsed = 0n;
  for (const raw of plan.transactions) {
    const { outcome, gas } = await runOne(vm, raw, { block, blockGasUsed });
    outcomes.push(outcome);
    blockGasUsed += gas;
  }
  if (blockGasUsed > 0n) {
    const vault = (await stateManager.getAccount(FEE_VAULT)) ?? new Account();
    vault.balance += baseFee * blockGasUsed;
    await stateManager.putAccount(FEE_VAULT, vault);
  }
  return { outcomes, stateRoot: bytesToHex(await stateManager.getStateRoot()) };
}

let chain: Awaited<ReturnType<typeof begin>> | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as Beginning | BlockPlan;
  if ('accounts' in message) chain = await begin(message);
  else if (chain !== undefined) process.stdout.write(`${JSON.stringify(await runPlan(chain, message))}\n`);
}
