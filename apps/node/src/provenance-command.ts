import { readFileSync, writeFileSync } from 'node:fs';
import { fromDisplay } from '@hemid/protocol';
import { decodeProof, encodeProof, proofFromJson, verifyProof } from '@hemid/provenance';
import { type ConfigSchema, describeConfig, loadConfig } from '@hemid/runtime';
import { z } from 'zod';
import { fail } from './errors.ts';
import { splitOperand } from './operand.ts';
import { type Told, tellProvenance } from './provenance-story.ts';
import { readChainSpec } from './spec-template.ts';

const PREFIX = 'HEMID';
const TIMEOUT_MS = 60_000;

const rpc = z.url().default('http://127.0.0.1:8545').describe('JSON-RPC URL of the node that is asked');
const height = z.coerce.number().int().min(0);
const checkpoint = z
  .string()
  .regex(/^[0-9]{1,9}:[0-9a-fA-F]{64}$/, 'must be <height>:<hash>, as Bitcoin tools write the hash')
  .transform((text) => ({ height: Number.parseInt(text, 10), hash: fromDisplay(text.slice(text.indexOf(':') + 1)) }));

const checkpointAt = z
  .string()
  .regex(/^[0-9]{1,9}(:[0-9a-fA-F]{64})?$/, 'must be <height> or <height>:<hash>, as Bitcoin tools write the hash')
  .transform((text) => ({ height: Number.parseInt(text, 10), hash: text.split(':')[1]?.toLowerCase() }));

const explainConfig = z.strictObject({ rpc });
const proveConfig = z.strictObject({
  rpc,
  out: z.string().describe('file to write; -o for short'),
  checkpoint: checkpointAt
    .optional()
    .describe('<height> or <height>:<hash> of the Bitcoin block from which the proof will be checked (default: where it begins)'),
});
const verifyConfig = z.strictObject({
  chain: z.string().describe('chain spec file'),
  checkpoint: checkpoint.describe('<height>:<hash> of a Bitcoin block that you know to be in the best chain'),
  confirmations: height.optional().describe('how deep the anchor must be (default: super-final, as the chain spec says)'),
});

interface Verb {
  about: string;
  operand: { name: string; about: string };
  schema: ConfigSchema;
  example: string;
  run(operand: string, config: unknown): Promise<string>;
}

const what = { name: 'ID', about: 'txid of a deposit, withdrawal:<id>, hash of an L2 transaction or block, or number of a block' };

/** A node's answer to `hemi_getProvenance`. */
type Answer = Told & { proof: unknown };

async function ask(url: string, params: readonly unknown[]): Promise<Answer> {
  // Only here, because what checks a proof needs nobody to ask.
  const { createJsonRpc } = await import('@hemid/network');
  return createJsonRpc(url, { timeoutMs: TIMEOUT_MS })('hemi_getProvenance', params) as Promise<Answer>;
}

/** A block number as JSON-RPC wants it; all else is for the node to judge. */
const toParam = (id: string): string => (/^[0-9]{1,18}$/.test(id) ? `0x${BigInt(id).toString(16)}` : id);

async function explain(id: string, config: z.output<typeof explainConfig>): Promise<string> {
  return tellProvenance(await ask(config.rpc, [toParam(id)]));
}

async function prove(id: string, config: z.output<typeof proveConfig>): Promise<string> {
  const answer = await ask(config.rpc, [toParam(id), config.checkpoint?.height]);
  if (answer.proof === null) throw fail('node/no-proof', `no proof yet: ${answer.missing}`);
  const { height: from, hash } = answer.bitcoin?.checkpoint ?? { height: 0, hash: '' };
  const trusted = config.checkpoint?.hash ?? hash;
  if (trusted !== hash) {
    throw fail(
      'node/other-checkpoint',
      `the node has ${hash} at Bitcoin height ${from}, and not the checkpoint ${trusted}: one of them is not in the best chain`,
    );
  }
  const text = encodeProof(proofFromJson(answer.proof));
  try {
    writeFileSync(config.out, text);
  } catch (cause) {
    throw fail('node/config', `cannot write ${config.out}: ${(cause as Error).message}`, { cause });
  }
  return [
    `${config.out}: ${text.length} bytes, the proof of ${answer.subject.kind} ${answer.subject.id}`,
    `to check it: hemid verify ${config.out} --chain <chain spec> --checkpoint ${from}:${hash}`,
    `after you have seen with a Bitcoin node of your own that block ${from} is that one`,
  ].join('\n');
}

function readProofFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fail('node/config', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function verify(path: string, config: z.output<typeof verifyConfig>): Promise<string> {
  const spec = readChainSpec(config.chain);
  const { checkpoint: trusted, confirmations } = config;
  const proven = verifyProof(decodeProof(readProofFile(path)), { spec, checkpoint: trusted, confirmations });
  return `${tellProvenance(proven)}\n\nthe proof holds: ${proven.subject.kind} ${proven.subject.id}, ${proven.anchor.confirmations} Bitcoin blocks deep`;
}

/** The commands of provenance, by name. */
export const PROVENANCE_COMMANDS: Record<string, Verb> = {
  explain: {
    about: 'tells where a deposit, a transaction or a block comes from, or where a withdrawal went, link by link',
    operand: what,
    schema: explainConfig,
    example: 'hemid explain 17 --rpc http://127.0.0.1:8545',
    run: (id, config) => explain(id, config as z.output<typeof explainConfig>),
  },
  prove: {
    about: 'writes the proof of it to a file that anyone can check offline',
    operand: what,
    schema: proveConfig,
    example: 'hemid prove 17 -o proof.json --rpc http://127.0.0.1:8545',
    run: (id, config) => prove(id, config as z.output<typeof proveConfig>),
  },
  verify: {
    about: 'checks such a file with nothing but a chain spec and a Bitcoin block that you trust',
    operand: { name: 'FILE', about: 'the proof' },
    schema: verifyConfig,
    example: 'hemid verify proof.json --chain .hemid-dev/chain.json --checkpoint 110:<hash>',
    run: (path, config) => verify(path, config as z.output<typeof verifyConfig>),
  },
};

const ENDS = 'exit codes: 0 it holds, or was done; 1 the proof is wrong, or there is none yet; 2 it could not be done at all';

/** `hemid explain`, `hemid prove`, `hemid verify`. @returns what to print. */
export async function runProvenance(name: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const verb = PROVENANCE_COMMANDS[name] as Verb;
  const { operand } = verb;
  if (argv.includes('--help') || argv.includes('-h')) {
    const options = describeConfig(verb.schema, PREFIX);
    return `hemid ${name} ${operand.name}: ${verb.about}\n\n${operand.name}  ${operand.about}\noptions, each also as an environment variable:\n${options}\n\nexample:\n  ${verb.example}\n\n${ENDS}`;
  }
  const { operands, options } = splitOperand(argv.map((word) => (word === '-o' ? '--out' : word)));
  const [first] = operands;
  if (first === undefined || operands.length > 1) throw fail('node/config', `hemid ${name} needs one ${operand.name}, ${operand.about}. Try --help.`);
  return verb.run(first, loadConfig(verb.schema, { argv: options, env, envPrefix: PREFIX }));
}
