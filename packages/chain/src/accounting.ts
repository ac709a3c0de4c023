import type { ExecutedBlock } from '@hemid/hvm';
import { WEI_PER_SAT } from '@hemid/protocol';
import { invalidBlock } from './errors.ts';

/**
 * The accounting invariant (protocol section 10): beyond what the genesis gave out, accounts hold no more than Tunnel has
 * credited and not settled; less when contracts burned coins. The dead address is no account here.
 *
 * @returns wei that all accounts hold after the block.
 * @throws `chain/block-invalid` (rule `supply`) saying by how much it is broken.
 */
export function supplyAfter({ supplyChange, tunnel }: ExecutedBlock, { parent, genesis }: { parent: bigint; genesis: bigint }): bigint {
  const supply = parent + supplyChange;
  const allowed = (tunnel.creditedSats - tunnel.settledSats) * WEI_PER_SAT;
  const excess = supply - genesis - allowed;
  if (excess <= 0n) return supply;
  throw invalidBlock(
    'supply',
    `all accounts hold ${supply - genesis} wei beyond the genesis, but Tunnel has credited ${tunnel.creditedSats} sats and settled ` +
      `${tunnel.settledSats}, which makes ${allowed} wei: ${excess} too many`,
  );
}
