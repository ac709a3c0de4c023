import type { RegtestNode } from './regtest-node.ts';
import type { ParamSpec } from './rpc-params.ts';

/** A method of the embedded Bitcoin: parameters are checked against their specs before `handle` gets them. */
export interface RegtestMethod {
  params: readonly ParamSpec[];
  handle(node: RegtestNode, params: unknown[]): unknown;
}
