import type { PopMinerStatus } from '@hemid/pop-miner';
import { DEV_ACCOUNTS } from './dev-accounts.ts';
import { VERSION } from './version.ts';

export interface BannerFacts {
  rpcUrl: string;
  tbcUrl: string;
  finalityUrl: string;
  dataDirectory: string;
  chainId: number;
  bitcoinKind: string;
  bitcoinUrl: string;
  bitcoinHeight: number;
  bitcoinBlockSeconds: number;
  /** When blocks come. */
  production: 'slots' | 'automine';
  admin: { url: string; tokenFile: string } | undefined;
  miner: PopMinerStatus;
  vault: string;
  probe: string;
}

/** Satoshis as BTC with two places. */
function btc(sats: bigint): string {
  const cents = sats / 1_000_000n;
  return `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')} BTC`;
}

/** What `hemid dev` prints when it is up. */
export function renderBanner(facts: BannerFacts): string {
  const { rpcUrl, miner, admin } = facts;
  const blocks = facts.production === 'automine' ? 'with each transaction' : 'in each slot; --automine: with each transaction';
  const accounts = DEV_ACCOUNTS.map(([address, key], i) => `  (${i}) ${address}  ${key}`);
  return [
    '',
    `hemid ${VERSION} dev   chain ${facts.chainId}   data ${facts.dataDirectory} (kept; --fresh starts anew)`,
    `  L2 RPC    ${rpcUrl}   ${rpcUrl.replace('http', 'ws')}   (/readyz /livez /metrics)`,
    `  Blocks    ${blocks}   evm_, anvil_ and hardhat_ verbs: docs/rpc.md`,
    ...(admin === undefined ? [] : [`  Admin     ${admin.url}   token in ${admin.tokenFile}`]),
    `  PoP       TBC ${facts.tbcUrl}   finality ${facts.finalityUrl}/v2/keystonefinality/<hash>`,
    `  Bitcoin   ${facts.bitcoinKind}, height ${facts.bitcoinHeight}, a block every ${facts.bitcoinBlockSeconds} s   RPC ${facts.bitcoinUrl}`,
    `  PoP miner ${miner.address}   ${btc(miner.balanceSats)}, ${btc(miner.spendableSats)} spendable`,
    `  Vault     ${facts.vault}`,
    `  Roles     sequencer, PoP miner, finality tracker, tunnel, RPC in one process`,
    '',
    '  10 accounts with 10,000 hBTC each (mnemonic: test test test test test test test test test test test junk)',
    ...accounts,
    '',
    '  Try:',
    `    curl -s ${rpcUrl} -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"kss_getLatestKeystones","params":[3]}'`,
    `    curl -s ${rpcUrl} -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"${facts.probe}","data":"0x62f26950"},"latest"]}'   # a contract reads Bitcoin's last header`,
    `    npm run hemid -- dev deposit ${DEV_ACCOUNTS[1]?.[0]} 100000   # pay the vault; hBTC arrives six Bitcoin blocks later`,
    '',
  ].join('\n');
}
