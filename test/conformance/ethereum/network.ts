import type { Common } from '@ethereumjs/common';
import { FORKS, rulesOf } from './rules.ts';

/** Which rules a block follows, by where it stands. */
export type Network = (block: { number: bigint; timestamp: bigint }) => Promise<Common>;

const BEFORE_BERLIN =
  /^(Frontier|Homestead|DAO|EIP150|EIP158|TangerineWhistle|SpuriousDragon|Byzantium|Constantinople|ConstantinopleFix|Petersburg|Istanbul|MuirGlacier)/;
const TRANSITION = /^(?<from>[A-Z]\w+)To(?<to>[A-Z]\w+)At(?<unit>Time)?(?<at>\d+)(?<thousands>k?)$/;

/** Whether a network begins before Berlin; such cases are not run at all. */
export const isBeforeBerlin = (name: string): boolean => BEFORE_BERLIN.test(name);

/** The network of a name: one fork, or two with a block number or time between; `undefined` for one that is not run. */
export function networkOf(name: string, chainId: bigint): Network | undefined {
  if (FORKS[name] !== undefined) return () => rulesOf(name, chainId);
  const { from = '', to = '', unit, at, thousands } = TRANSITION.exec(name)?.groups ?? {};
  if (FORKS[from] === undefined || FORKS[to] === undefined) return undefined;
  const switchAt = BigInt(at ?? 0) * (thousands === 'k' ? 1000n : 1n);
  return ({ number, timestamp }) => rulesOf((unit === undefined ? number : timestamp) < switchAt ? from : to, chainId);
}
