import { type ChainSpec, isHemidError, parseChainSpec, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import { readJsonFile } from './json-file.ts';

/** What a template leaves open, decided when a development network first starts. */
export interface TemplateChoice {
  /** Seconds. */
  time: number;
  bitcoin: { height: number; header: Uint8Array; headersBefore: Uint8Array[] };
}

interface SpecJson {
  genesis: { time?: number; bitcoin: Record<string, unknown> };
  upgrades: unknown[];
}

/** Reads a chain spec file; @throws `protocol/chain-spec` naming the file and every wrong key. */
export function readChainSpec(path: string): ChainSpec {
  try {
    return parseChainSpec(readJsonFile(path));
  } catch (error) {
    if (isHemidError(error, 'protocol/chain-spec')) throw fail('node/config', `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Fills a template (`configs/dev.json`): the JSON of a complete chain spec. */
export function completeTemplate(path: string, choice: TemplateChoice): unknown {
  const template = readJsonFile(path) as SpecJson;
  const { height, header, headersBefore } = choice.bitcoin;
  return {
    ...template,
    genesis: {
      ...template.genesis,
      time: choice.time,
      bitcoin: {
        ...template.genesis.bitcoin,
        genesisHeight: height,
        genesisHeader: toHex(header),
        headersBefore: headersBefore.map(toHex),
      },
    },
  };
}
