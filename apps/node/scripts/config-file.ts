import { bitcoinKit, bitcoinProbe, depositCaller, feeVault, popReward, tunnel, wrappedHbtc } from '@hemid/contracts';
import {
  addressOfKey,
  BITCOIN_KIT_ADDRESS,
  DEPOSIT_CALLER_ADDRESS,
  FEE_VAULT_ADDRESS,
  HISTORY_ADDRESS,
  POP_REWARD_ADDRESS,
  scriptToAddress,
  TUNNEL_ADDRESS,
  toHex,
  WRAPPED_HBTC_ADDRESS,
} from '@hemid/protocol';
import { mnemonicToAccount } from 'viem/accounts';
import { DEV_PROBE_ADDRESS, devKey, devVaultScript } from '../src/dev-key.ts';

const MNEMONIC = 'test test test test test test test test test test test junk';
const ACCOUNTS = 10;
/** 10,000 hBTC in wei. */
const FUNDS = (10_000n * 10n ** 18n).toString();

/** The EIP-2935 contract, as it stands on Ethereum mainnet. */
const HISTORY_CODE =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';
/** The deterministic CREATE2 deployer that Foundry, Hardhat and viem users expect on a development network. */
const CREATE2_DEPLOYER = {
  address: '0x4e59b44847b379578588920ca78fbf26c0b4956c',
  code: '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3',
};
/** Bitcoin's regtest genesis header. */
const REGTEST_GENESIS =
  '0x0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000';

function allocation(feeRecipient: string): Record<string, unknown> {
  const contract = (code: string, storage?: Record<string, string>): unknown => ({ nonce: 1, code, ...(storage ? { storage } : {}) });
  const slot0 = { [`0x${'0'.repeat(64)}`]: `0x${feeRecipient.slice(2).padStart(64, '0')}` };
  const accounts = Array.from({ length: ACCOUNTS }, (_, addressIndex) => {
    const { address } = mnemonicToAccount(MNEMONIC, { addressIndex });
    return [address.toLowerCase(), { balance: FUNDS }];
  });
  return {
    ...Object.fromEntries(accounts),
    [toHex(HISTORY_ADDRESS)]: contract(HISTORY_CODE),
    [CREATE2_DEPLOYER.address]: contract(CREATE2_DEPLOYER.code),
    [toHex(FEE_VAULT_ADDRESS)]: contract(feeVault.deployedBytecode, slot0),
    [toHex(POP_REWARD_ADDRESS)]: contract(popReward.deployedBytecode),
    [toHex(TUNNEL_ADDRESS)]: contract(tunnel.deployedBytecode),
    [toHex(DEPOSIT_CALLER_ADDRESS)]: contract(depositCaller.deployedBytecode),
    [toHex(BITCOIN_KIT_ADDRESS)]: contract(bitcoinKit.deployedBytecode),
    [toHex(WRAPPED_HBTC_ADDRESS)]: contract(wrappedHbtc.deployedBytecode),
  };
}

function genesis(name: string, chainId: number, extra: Record<string, unknown> = {}): Record<string, unknown> {
  const signer = addressOfKey(devKey('sequencer').publicKey);
  if (signer === undefined) throw new RangeError('the sequencer key is not a point');
  return {
    name,
    chainId,
    gasLimit: 30_000_000,
    elasticity: 2,
    baseFeeDenominator: 8,
    baseFee: '10000000',
    hardfork: 'osaka',
    allocation: { ...allocation(toHex(signer)), ...extra },
    sequencers: [{ signer: toHex(signer), feeRecipient: toHex(signer) }],
    finality: { super: 10, ultra: 20 },
    popPool: '100000000000000000000',
    tunnel: {
      vault: scriptToAddress(devVaultScript(), 'regtest'),
      confirmations: 6,
      limits: { minimumDepositSats: 50_000, depositFeeSats: 2_000, withdrawalFeeSats: 3_000, minimumWithdrawalSats: 40_000 },
    },
    quirks: { emptyHeaderAtHeight: false, emptySpentOutput: false },
  };
}

const bitcoin = { network: 'regtest', unspent: 'none', indexLag: 2 };

/** The chain specs in configs/, by file name. */
export function configFiles(): Record<string, string> {
  const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    // A template: time and hVM genesis are decided at the first start of `hemid dev`.
    'dev.json': text({
      genesis: {
        ...genesis('hemid dev', 743_555, { [DEV_PROBE_ADDRESS]: { nonce: 1, code: bitcoinProbe.deployedBytecode } }),
        blockTime: 1,
        keystonePeriod: 5,
        bitcoin,
        development: true,
      },
      upgrades: [],
    }),
    'regtest.json': text({
      genesis: {
        ...genesis('hemid regtest', 743_556),
        time: 1_767_225_600,
        blockTime: 12,
        keystonePeriod: 25,
        bitcoin: { ...bitcoin, genesisHeight: 0, genesisHeader: REGTEST_GENESIS, headersBefore: [] },
      },
      upgrades: [],
    }),
  };
}
