import { loadConfig, Secret } from '@hemid/runtime';
import { describe, expect, it } from 'vitest';
import { bitcoinSourceOf, httpAddressOf, popmdConfig, sweepConfig } from '../src/config.ts';
import { readHttpAddress, toUrl } from '../src/http-address.ts';

const load = (env: Record<string, string>) => loadConfig(popmdConfig, { argv: [], env, envPrefix: 'POPM' });
const sweep = (...argv: string[]) => loadConfig(sweepConfig, { argv, env: { POPM_BITCOIN_NETWORK: 'testnet4' }, envPrefix: 'POPM' });

describe('the configuration', () => {
  it('keeps secrets to itself', () => {
    const config = load({ POPM_BITCOIN_SECRET: 'a1'.repeat(32), POPM_KEYSTORE_PASSWORD: 'open sesame' });
    expect(config.keystorePassword).toBeInstanceOf(Secret);
    expect(JSON.stringify(config)).not.toMatch(/a1a1|sesame/);
    expect(() => load({ POPM_BITCOIN_SECRET: 'a1'.repeat(33) })).toThrow(/^(?!.*a1a1).*bitcoinSecret: the secret is not up to 32 bytes of hex/);
  });

  it('knows the public name of the address for Prometheus', () => {
    expect(httpAddressOf(load({ POPM_PROMETHEUS_ADDRESS: 'localhost:2112' }))).toEqual({ host: 'localhost', port: 2112 });
    expect(httpAddressOf(load({ POPM_PROMETHEUS_ADDRESS: 'localhost:2112', POPM_HTTP_ADDRESS: ':80' }))).toEqual({ host: '0.0.0.0', port: 80 });
    expect(httpAddressOf(load({}))).toBeUndefined();
  });

  it.each([
    ['127.0.0.1:2112', 'http://127.0.0.1:2112'],
    ['[::1]:2112', 'http://[::1]:2112'],
    ['[::]:2112', 'http://[::1]:2112'],
    [':2112', 'http://127.0.0.1:2112'],
  ])('reads the address %s', (text, url) => {
    expect(toUrl(readHttpAddress(text) ?? { host: '', port: 0 })).toBe(url);
  });

  it.each(['2112', 'localhost', 'localhost:', 'localhost:65536', 'http://localhost:2112', 'a b:1', '::1:2112'])(
    'does not read the address %s',
    (text) => {
      expect(readHttpAddress(text)).toBeUndefined();
      expect(() => load({ POPM_HTTP_ADDRESS: text })).toThrow('httpAddress: must look like 127.0.0.1:2112');
    },
  );

  it.each([
    [{}, 'bitcoind'],
    [{ POPM_BITCOIN_URL: 'https://node.example' }, 'bitcoind'],
    [{ POPM_BITCOIN_URL: 'ws://localhost:8082/v1/ws' }, 'tbc'],
    [{ POPM_BITCOIN_URL: 'wss://tbc.example/v1/ws', POPM_BITCOIN_SOURCE: 'tbc' }, 'tbc'],
    [{ POPM_BITCOIN_URL: 'https://blockstream.info/api', POPM_BITCOIN_SOURCE: 'esplora' }, 'esplora'],
  ])('takes from %j that Bitcoin is behind %s', (env: Record<string, string>, source) => {
    expect(bitcoinSourceOf(load(env))).toBe(source);
  });

  it.each([
    { POPM_BITCOIN_URL: 'ws://localhost:8082', POPM_BITCOIN_SOURCE: 'esplora' },
    { POPM_BITCOIN_URL: 'ws://localhost:8082', POPM_BITCOIN_SOURCE: 'bitcoind' },
    { POPM_BITCOIN_URL: 'http://localhost:8332', POPM_BITCOIN_SOURCE: 'tbc' },
    { POPM_BITCOIN_URL: 'localhost:8332' },
    { POPM_BITCOIN_URL: 'tcp://localhost:8332' },
  ])('refuses %j: that source does not speak so', (env: Record<string, string>) => {
    expect(() => load(env)).toThrow(/bitcoinUrl: must .*start/);
  });

  it('sweeps to an address of its own network alone', () => {
    expect(sweep('--to', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx').to).toMatch(/^tb1/);
    expect(() => sweep('--to', 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu')).toThrow('to: is no address of the Bitcoin network');
    expect(() => sweep('--to', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsq')).toThrow('to: is no address of the Bitcoin network');
    expect(() => sweep()).toThrow('to: is needed');
  });
});
