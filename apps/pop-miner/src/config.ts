import { type AddressKind, readPopSecret } from '@hemid/pop-miner';
import { type BitcoinNetwork, isHemidError } from '@hemid/protocol';
import type { Secret } from '@hemid/runtime';
import { z } from 'zod';

const NETWORKS = ['mainnet', 'testnet4', 'signet', 'regtest', 'localnet'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** A secret that is never in an error message. */
const secret = z.string({ error: 'is needed: the hex of a secp256k1 key' }).transform((text, context): Secret<Uint8Array> => {
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

/** The configuration of popmd; the environment is named as the public network's miner names it, `POPM_…`. */
export const popmdConfig = z
  .strictObject({
    bitcoinSecret: secret.describe('private key, up to 32 bytes of hex; it pays for publications and is rewarded'),
    bitcoinNetwork: z
      .enum(NETWORKS, `must be one of ${NETWORKS.join(', ')}`)
      .transform((name): BitcoinNetwork => (name === 'localnet' ? 'regtest' : name))
      .default('mainnet')
      .describe(`${NETWORKS.join(', ')} (= regtest)`),
    bitcoinUrl: url('http:', 'https:').default('http://127.0.0.1:8332').describe('RPC of bitcoind (Core or Knots), user:password@ allowed'),
    bitcoinCookie: z.string().optional().describe("bitcoind's .cookie file, instead of user and password"),
    opgethUrl: url('http:', 'https:', 'ws:', 'wss:')
      .default('http://127.0.0.1:8545')
      .describe('RPC of the L2 node, with the namespaces eth and kss; ws is spoken to over http'),
    staticFee: satsPerVbyte.default(0).describe('always pay so many sats/vB; 0: what bitcoind estimates'),
    maxFee: satsPerVbyte.default(100).describe('never pay more sats/vB; 0: no limit'),
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
    logLevel: z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(LEVELS, `must be one of ${LEVELS.join(', ')}`))
      .default('info')
      .describe(LEVELS.join(', ')),
  })
  .refine(({ staticFee }) => staticFee === 0 || staticFee >= 1, { path: ['staticFee'], message: 'must be at least 1 sat/vB, or 0' })
  .refine(({ staticFee, maxFee }) => maxFee === 0 || staticFee <= maxFee, {
    path: ['staticFee'],
    message: 'is above maxFee: nothing would ever be published',
  });

export type PopmdConfig = z.output<typeof popmdConfig>;
