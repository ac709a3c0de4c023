import type { MethodTable } from '../method.ts';
import { createSubscriptionMethods, ethSubscriptions, kssSubscriptions } from '../subscription.ts';
import { ethBlock } from './eth-block.ts';
import { ethCall } from './eth-call.ts';
import { ethChain } from './eth-chain.ts';
import { ethLog } from './eth-log.ts';
import { ethState } from './eth-state.ts';
import { ethTransaction } from './eth-transaction.ts';
import { finality } from './finality.ts';
import { hemi } from './hemi.ts';
import { kss } from './kss.ts';
import { net } from './net.ts';
import { pop } from './pop.ts';
import { tunnel } from './tunnel.ts';

/** Every method that the node answers. */
export const methods: MethodTable = {
  ...ethChain,
  ...ethState,
  ...ethCall,
  ...ethBlock,
  ...ethTransaction,
  ...ethLog,
  ...createSubscriptionMethods('eth', ethSubscriptions),
  ...net,
  ...kss,
  ...createSubscriptionMethods('kss', kssSubscriptions),
  ...hemi,
  ...finality,
  ...pop,
  ...tunnel,
};
