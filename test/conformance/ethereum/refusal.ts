import { EthereumJSError } from '@ethereumjs/rlp';
import { isHemidError } from '@hemid/protocol';

const NAME = 'Refused';

/** The error of a block that breaks a rule. */
export const refuse = (reason: string): Error => Object.assign(new Error(reason), { name: NAME });

/** Whether an error says that the block is wrong; any other says that the harness or the node is. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof EthereumJSError || isHemidError(error, 'protocol/encoding')) return true;
  return error instanceof Error && error.name === NAME;
}
