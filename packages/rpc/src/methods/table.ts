import type { MethodTable } from '../method.ts';
import { createSubscriptionMethods, ethSubscriptions, hemiSubscriptions, kssSubscriptions } from '../subscription.ts';
import { admin } from './admin.ts';
import { debugRaw } from './debug-raw.ts';
import { debugTrace } from './debug-trace.ts';
import { devAccount } from './dev-account.ts';
import { devFixed } from './dev-fixed.ts';
import { devMining } from './dev-mining.ts';
import { devSigning } from './dev-signing.ts';
import { createDiscovery } from './discover.ts';
import { ethBlock } from './eth-block.ts';
import { ethCall } from './eth-call.ts';
import { ethChain } from './eth-chain.ts';
import { ethConfig } from './eth-config.ts';
import { ethLog } from './eth-log.ts';
import { ethSimulate } from './eth-simulate.ts';
import { ethState } from './eth-state.ts';
import { ethTransaction } from './eth-transaction.ts';
import { evidence } from './evidence.ts';
import { finality } from './finality.ts';
import { hemi } from './hemi.ts';
import { kss } from './kss.ts';
import { net } from './net.ts';
import { otterscan } from './otterscan.ts';
import { pop } from './pop.ts';
import { provenance } from './provenance.ts';
import { tunnel } from './tunnel.ts';
import { txpool } from './txpool.ts';

/** Every method that the node answers: what is documented, discovered and counted is this table. */
export const methods: MethodTable = {
  ...ethChain,
  ...ethConfig,
  ...ethState,
  ...ethCall,
  ...ethSimulate,
  ...ethBlock,
  ...ethTransaction,
  ...ethLog,
  ...createSubscriptionMethods('eth', ethSubscriptions),
  ...debugRaw,
  ...debugTrace,
  ...otterscan,
  ...txpool,
  ...net,
  ...kss,
  ...createSubscriptionMethods('kss', kssSubscriptions),
  ...hemi,
  ...createSubscriptionMethods('hemi', hemiSubscriptions),
  ...finality,
  ...pop,
  ...evidence,
  ...provenance,
  ...tunnel,
  ...devMining,
  ...devAccount,
  ...devFixed,
  ...devSigning,
  ...admin,
  ...createDiscovery(() => methods),
};
