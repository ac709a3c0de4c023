import type { Hex } from '@hemid/protocol';

/** What a transaction did. */
export interface Outcome {
  status: 'refused' | 'failed' | 'succeeded';
  gasUsed: string;
  logs: { address: Hex; topics: Hex[]; data: Hex }[];
}

/** A block as both engines get it. */
export interface BlockPlan {
  number: string;
  timestamp: string;
  parentHash: Hex;
  beneficiary: Hex;
  mixHash: Hex;
  baseFee: string;
  gasLimit: string;
  transactions: Hex[];
}

export interface BlockResult {
  outcomes: Outcome[];
  /** `undefined` of an engine whose blocks also write what the other's do not. */
  stateRoot: Hex | undefined;
}

/** Where a chain begins. */
export interface Beginning {
  chainId: number;
  accounts: Record<Hex, { balance: string; nonce?: number; code?: Hex }>;
}
