import type { ChainReader } from '@hemid/chain';
import type { Clock, Logger, Random } from '@hemid/runtime';
import type { z } from 'zod';
import type { BestBitcoin, BitcoinBlocks, BitcoinGateway, PublicationReader } from '../ports.ts';
import type { Json } from '../wire.ts';

/** What the node gives to its TBC endpoint. */
export interface TbcDeps {
  chain: ChainReader;
  bitcoin: BitcoinBlocks;
  best: BestBitcoin;
  publications: PublicationReader;
  gateway: BitcoinGateway;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** A row of the command table: what `tbcapi-<name>-request` asks, and the payload of `tbcapi-<name>-response`. */
export interface TbcCommand<P extends z.ZodType = z.ZodType> {
  /** One sentence for the documentation. */
  doc: string;
  payload: P;
  /** @throws `rpc/not-found`, `rpc/limit`, `rpc/invalid-params`, and what the ports throw. */
  handle(payload: z.output<P>, deps: TbcDeps): Promise<{ [field: string]: Json }> | { [field: string]: Json };
}

/** Commands by their name between `tbcapi-` and `-request`. */
export type CommandTable = Record<string, TbcCommand>;

/** Types a row by its own schema. */
export function command<P extends z.ZodType>(row: TbcCommand<P>): TbcCommand {
  return row as unknown as TbcCommand;
}
