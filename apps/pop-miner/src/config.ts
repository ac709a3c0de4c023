import { type AddressKind, type FeeOptions, POLICY_DEFAULTS, type PopMinerOptions, readPopSecret, toFeeRate } from '@hemid/pop-miner';
import { addressToScript, type BitcoinNetwork, isHemidError } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { z } from 'zod';
import { readHttpAddress } from './http-address.ts';

const NETWORKS = ['mainnet', 'testnet4', 'signet', 'regtest', 'localnet'] as const;
/** Where Bitcoin is looked at. */
const SOURCES = ['bitcoind', 'esplora', 'tbc'] as const;
const MINUTE_MS = 60_000;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** A secret that is never in an error message. */
const secret = z.string().transform((text, context): Secret<Uint8Array> => {
  try {
    return readPopSecret(text);
  } catch (error) {
    context.addIssue(isHemidError(error) ? error.message : 'cannot be read');
    return z.NEVER;
  }
});

const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );

const satsPerVbyte = z.coerce.number('must be a number of sats/vB').min(0, 'must not be negative');

const httpAddress = z.string().transform((text, context) => {
  const address = readHttpAddress(text);
  if (address !== undefined) return address;
  context.addIssue('must look like 127.0.0.1:2112');
  return z.NEVER;
});

const isWebsocket = (text: string): boolean => /^wss?:/i.test(text);

/** The configuration of popmd; the environment is named as the public network's miner names it, `POPM_…`. */
export const popmdConfig = z
  .strictObject({
    bitcoinSecret: secret.optional().describe('private key, up to 32 bytes of hex; it pays for publications and is rewarded'),
    bitcoinSecretFile: z.string().optional().describe('file with such a key'),
    keystore: z.string().optional().describe('encrypted keystore with the key (Web3 Secret Storage, version 3), e.g. from popmd init'),
    keystorePassword: z
      .string()
      .transform((text) => new Secret(text))
      .optional()
      .describe('password of the keystore; better in a file or typed'),
    keystorePasswordFile: z.string().optional().describe('file with the password of the keystore; without either it is asked for'),
    mnemonicFile: z.string().optional().describe('file with the words of a mnemonic (BIP-39) that the key is derived from'),
    mnemonicPath: z
      .string()
      .optional()
      .describe("path of the key (BIP-32); without it m/84'/0'/0'/0/0 for p2wpkh and m/44'/0'/0'/0/0 for p2pkh, 1' for the first 0' off mainnet"),
    bitcoinNetwork: z
      .enum(NETWORKS, `must be one of ${NETWORKS.join(', ')}`)
      .transform((name): BitcoinNetwork => (name === 'localnet' ? 'regtest' : name))
      .default('mainnet')
      .describe(`${NETWORKS.join(', ')} (= regtest)`),
    bitcoinSource: z
      .enum(SOURCES, `must be one of ${SOURCES.join(', ')}`)
      .optional()
      .describe('what answers at the URL of Bitcoin: bitcoind, esplora or tbc; without it ws and wss mean tbc, http and https bitcoind'),
    bitcoinUrl: url('http:', 'https:', 'ws:', 'wss:')
      .default('http://127.0.0.1:8332')
      .describe(
        'RPC of bitcoind (Core or Knots), an Esplora API like https://blockstream.info/api, or the websocket of a TBC; user:password@ allowed',
      ),
    bitcoinCookie: z.string().optional().describe("bitcoind's .cookie file, instead of user and password"),
    opgethUrl: url('http:', 'https:', 'ws:', 'wss:')
      .default('http://127.0.0.1:8545')
      .describe('RPC of the L2 node, with the namespaces eth and kss; ws is spoken to over http'),
    staticFee: satsPerVbyte.default(0).describe('always pay so many sats/vB; 0: what bitcoind estimates'),
    maxFee: satsPerVbyte.default(100).describe('never pay more sats/vB; 0: no limit'),
    gatherFee: satsPerVbyte.default(2).describe('at so many sats/vB or less a publication takes small coins along; 0: never'),
    dailyBudget: z.coerce
      .number('must be a number of sats')
      .int('must be a whole number of sats')
      .min(0, 'must not be negative')
      .default(0)
      .describe('fees in sats that may be spent in 144 Bitcoin blocks; 0: no limit'),
    stuckBlocks: z.coerce
      .number('must be a number of blocks')
      .int()
      .min(1, 'must be at least 1')
      .default(POLICY_DEFAULTS.stuckBlocks)
      .describe('Bitcoin blocks after which a publication that pays too little is replaced'),
    maxAgeMinutes: z.coerce
      .number('must be a number of minutes')
      .min(1, 'must be at least 1')
      .default(POLICY_DEFAULTS.maxAgeMs / MINUTE_MS)
      .describe('keystones of older blocks are passed over, minutes'),
    addressType: z
      .enum(['p2wpkh', 'p2pkh'] satisfies AddressKind[], 'must be p2wpkh or p2pkh')
      .default('p2wpkh')
      .describe('p2wpkh, or p2pkh as the public network wants it'),
    pollMs: z.coerce
      .number('must be a number of milliseconds')
      .int()
      .min(100, 'must be at least 100')
      .default(13_000)
      .describe('milliseconds between two looks at Bitcoin and the L2 node'),
    httpAddress: httpAddress.optional().describe('host:port on which /metrics, /health and /status are served; off without it'),
    prometheusAddress: httpAddress.optional().describe("the public miner's name for --http-address"),
    logLevel: z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(LEVELS, `must be one of ${LEVELS.join(', ')}`))
      .default('info')
      .describe(LEVELS.join(', ')),
  })
  .refine(({ bitcoinSource, bitcoinUrl }) => bitcoinSource === undefined || isWebsocket(bitcoinUrl) === (bitcoinSource === 'tbc'), {
    path: ['bitcoinUrl'],
    message: 'must start with ws:// or wss:// for a TBC, with http:// or https:// for bitcoind and esplora',
  })
  .refine(({ staticFee }) => staticFee === 0 || staticFee >= 1, { path: ['staticFee'], message: 'must be at least 1 sat/vB, or 0' })
  .refine(({ staticFee, maxFee }) => maxFee === 0 || staticFee <= maxFee, {
    path: ['staticFee'],
    message: 'is above maxFee: nothing would ever be published',
  });

/** `popmd init`. */
export const initConfig = popmdConfig.safeExtend({
  noWait: z.boolean().default(false).describe('do not wait for bitcoin to come'),
});

/** `popmd status`. */
export const statusConfig = popmdConfig.safeExtend({
  json: z.boolean().default(false).describe('print the JSON of /status'),
  watch: z.boolean().default(false).describe('show it anew every two seconds'),
});

/** `popmd sweep`. */
export const sweepConfig = popmdConfig
  .safeExtend({
    to: z.string('is needed: the address that gets everything').describe('Bitcoin address that gets everything'),
    feeRate: satsPerVbyte.min(1, 'must be at least 1 sat/vB').optional().describe('sats/vB to pay; without it what the miner would pay now'),
    yes: z.boolean().default(false).describe('send it; without this only what would be sent is shown'),
  })
  .refine(({ to, bitcoinNetwork }) => addressToScript(to, bitcoinNetwork) !== undefined, {
    path: ['to'],
    message: 'is no address of the Bitcoin network that popmd is configured for',
  });

export type PopmdConfig = z.output<typeof popmdConfig>;
export type InitConfig = z.output<typeof initConfig>;
export type StatusConfig = z.output<typeof statusConfig>;
export type SweepConfig = z.output<typeof sweepConfig>;

/** Where the HTTP endpoints are; `undefined`: nowhere. */
export function httpAddressOf({ httpAddress, prometheusAddress }: PopmdConfig): PopmdConfig['httpAddress'] {
  return httpAddress ?? prometheusAddress;
}

/** What answers at the URL of Bitcoin. */
export function bitcoinSourceOf({ bitcoinSource, bitcoinUrl }: PopmdConfig): (typeof SOURCES)[number] {
  return bitcoinSource ?? (isWebsocket(bitcoinUrl) ? 'tbc' : 'bitcoind');
}

/** How the miner spends, as its package wants it. */
export function policyOf(config: PopmdConfig): Pick<PopMinerOptions, 'fees' | 'budgetSats' | 'stuckBlocks' | 'maxAgeMs'> {
  const { dailyBudget, stuckBlocks, maxAgeMinutes } = config;
  const policy = { fees: feesOf(config), stuckBlocks, maxAgeMs: maxAgeMinutes * MINUTE_MS };
  return dailyBudget === 0 ? policy : { ...policy, budgetSats: BigInt(dailyBudget) };
}

/** What the miner may pay, as its package wants it. */
export function feesOf({ staticFee, maxFee, gatherFee }: PopmdConfig): FeeOptions {
  return {
    ...(gatherFee === 0 ? {} : { gatherRate: toFeeRate(gatherFee) }),
    ...(staticFee === 0 ? {} : { staticRate: toFeeRate(staticFee) }),
    ...(maxFee === 0 ? {} : { maxRate: toFeeRate(maxFee) }),
  };
}
