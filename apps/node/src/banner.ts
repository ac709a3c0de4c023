import type { PopMinerStatus } from '@hemid/pop-miner';
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
  miner: PopMinerStatus;
  vault: string;
  probe: string;
}

/** The accounts of the well-known test mnemonic, as every Ethereum development tool knows them. */
const ACCOUNTS: readonly [address: string, key: string][] = [
  ['0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'],
  ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'],
  ['0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC', '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a'],
  ['0x90F79bf6EB2c4f870365E785982E1f101E93b906', '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6'],
  ['0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65', '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a'],
  ['0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc', '0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba'],
  ['0x976EA74026E726554dB657fA54763abd0C3a0aa9', '0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e'],
  ['0x14dC79964da2C08b23698B3D3cc7Ca32193d9955', '0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356'],
  ['0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f', '0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97'],
  ['0xa0Ee7A142d267C1f36714E4a8F75612F20a79720', '0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6'],
];

/** Satoshis as BTC with two places. */
function btc(sats: bigint): string {
  const cents = sats / 1_000_000n;
  return `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')} BTC`;
}

/** What `hemid dev` prints when it is up. */
export function renderBanner(facts: BannerFacts): string {
  const { rpcUrl, miner } = facts;
  const accounts = ACCOUNTS.map(([address, key], i) => `  (${i}) ${address}  ${key}`);
  return [
    '',
    `hemid ${VERSION} dev   chain ${facts.chainId}   data ${facts.dataDirectory} (kept; --fresh starts anew)`,
    `  L2 RPC    ${rpcUrl}   ${rpcUrl.replace('http', 'ws')}   (/readyz /livez /metrics)`,
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
    `    npm run hemid -- dev deposit ${ACCOUNTS[1]?.[0]} 100000   # pay the vault; hBTC arrives six Bitcoin blocks later`,
    '',
  ].join('\n');
}
