import type { Abi, Hex } from 'viem';
import bitcoinKitArtifact from '../artifacts/BitcoinKit.json' with { type: 'json' };
import bitcoinProbeArtifact from '../artifacts/BitcoinProbe.json' with { type: 'json' };
import depositCallerArtifact from '../artifacts/DepositCaller.json' with { type: 'json' };
import feeVaultArtifact from '../artifacts/FeeVault.json' with { type: 'json' };
import popRewardArtifact from '../artifacts/PoPReward.json' with { type: 'json' };
import tunnelArtifact from '../artifacts/Tunnel.json' with { type: 'json' };
import wrappedHbtcArtifact from '../artifacts/WrappedHBTC.json' with { type: 'json' };

/** A compiled contract. A predeploy's `deployedBytecode` goes into the genesis allocation as it is. */
export interface Contract {
  contractName: string;
  abi: Abi;
  bytecode: Hex;
  deployedBytecode: Hex;
}

/** Credits Bitcoin deposits, takes withdrawals, judges vault spends; predeploy 0x42…0100 (protocol section 10). */
export const tunnel: Contract = toContract(tunnelArtifact);

/** Pays the recipients of deposits; predeploy 0x42…0101 (protocol section 10). */
export const depositCaller: Contract = toContract(depositCallerArtifact);

/** The token that pays PoP miners; predeploy 0x42…0042 (protocol section 9). */
export const popReward: Contract = toContract(popRewardArtifact);

/** Receives base fees; predeploy 0x42…0019 (protocol section 10). */
export const feeVault: Contract = toContract(feeVaultArtifact);

/** Bitcoin as structs, with the selectors of Hemi's kit; predeploy 0x42…0102 (protocol sections 5 and 10). */
export const bitcoinKit: Contract = toContract(bitcoinKitArtifact);

/** The native coin as an ERC-20; predeploy 0x42…0103 (protocol section 10). */
export const wrappedHbtc: Contract = toContract(wrappedHbtcArtifact);

/** A user's contract that reads Bitcoin, for tests and demonstrations; not a predeploy (protocol section 5). */
export const bitcoinProbe: Contract = toContract(bitcoinProbeArtifact);

function toContract(artifact: { contractName: string; abi: unknown; bytecode: string; deployedBytecode: string }): Contract {
  return {
    contractName: artifact.contractName,
    abi: artifact.abi as Abi,
    bytecode: artifact.bytecode as Hex,
    deployedBytecode: artifact.deployedBytecode as Hex,
  };
}
