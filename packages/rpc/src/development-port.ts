import type { AccountWrite } from '@hemid/protocol';

/** A call in the name of an account; wei, and wei per gas. */
export interface AccountCall {
  from: Uint8Array;
  /** The next one when left out. */
  nonce: bigint | undefined;
  /** `undefined` creates a contract. */
  to: Uint8Array | undefined;
  gas: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
  value: bigint;
  data: Uint8Array;
}

/** What a development network lets everybody do: its blocks, its time, its accounts. */
export interface Development {
  /** Builds `count` blocks, the first at `timestamp`, `interval` seconds apart, until `isOver`. */
  mine(request: { count: number; timestamp?: bigint | undefined; interval?: bigint | undefined; isOver(): boolean }): Promise<void>;
  /** Builds a block that sets these. */
  write(writes: AccountWrite[]): Promise<void>;
  /** Takes a call; @returns its hash. @throws `hvm/transaction-invalid` */
  call(call: AccountCall): Promise<Uint8Array>;
  /** Takes a transaction out of what waits; @returns whether it was there. */
  drop(hash: Uint8Array): boolean;
  /** @returns its id. */
  snapshot(): Promise<number>;
  /** @returns `false` when there is no such snapshot. */
  revert(id: number): Promise<boolean>;
  /** Goes back to the genesis and to how the network was started. */
  reset(): Promise<void>;
  setAutomine(mode: 'on' | 'off'): void;
  automines(): boolean;
  /** Seconds between blocks that come by themselves; 0: none. */
  setInterval(seconds: number): void;
  interval(): number;
  /** Moves time by seconds; @returns by how many it is shifted in all. */
  increaseTime(seconds: bigint): bigint;
  /** @throws `development/time` unless the next block can have this timestamp. */
  setNextTimestamp(timestamp: bigint): void;
  /** Seconds from each block's timestamp to the next one's, `undefined`: as time runs. @throws `development/time` unless these are whole slots. */
  setSpacing(seconds: bigint | undefined): void;
  /** Addresses of the accounts whose keys everybody has. */
  accounts(): Uint8Array[];
  /** r ‖ s ‖ recovery id over 32 bytes, or `undefined` for an account whose key nobody has. */
  sign(address: Uint8Array, digest: Uint8Array): Uint8Array | undefined;
  impersonate(address: Uint8Array): void;
  stopImpersonating(address: Uint8Array): void;
  impersonateAll(mode: 'on' | 'off'): void;
  impersonates(address: Uint8Array): boolean;
}
