import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'pop-miner/secret': { severity: 'fatal', doc: "the miner's secret is no secp256k1 key" },
  'pop-miner/keystore': { severity: 'fatal', doc: 'a keystore cannot be read, or its password is another one' },
  'pop-miner/mnemonic': { severity: 'fatal', doc: 'a mnemonic or its path cannot be read' },
  'pop-miner/node-unreachable': { severity: 'retry', doc: 'the L2 node cannot be reached, or does not answer in time' },
  'pop-miner/node-answer': { severity: 'retry', doc: 'the L2 node refused a call, or its answer cannot be read' },
  'pop-miner/node-unfit': { severity: 'fatal', doc: 'the L2 node lacks a method that is needed, or its URL cannot be read' },
  'pop-miner/bitcoin-unreachable': { severity: 'retry', doc: 'the Bitcoin source cannot be reached, or does not answer in time' },
  'pop-miner/bitcoin-answer': { severity: 'retry', doc: 'the Bitcoin source refused a request, or its answer cannot be read' },
  'pop-miner/bitcoin-network': { severity: 'fatal', doc: 'the Bitcoin source is on another network' },
  'pop-miner/bitcoin-unfit': { severity: 'fatal', doc: 'the URL of the Bitcoin source cannot be read' },
  'pop-miner/scan-busy': { severity: 'retry', doc: 'the Bitcoin node is scanning its unspent outputs for somebody already' },
  'pop-miner/chain-moves': { severity: 'retry', doc: 'the Bitcoin chain changed while it was being read' },
  'pop-miner/no-funds': { severity: 'retry', doc: "the miner's coins do not pay for a publication (yet)" },
  'pop-miner/fee-too-high': {
    severity: 'retry',
    doc: 'Bitcoin asks for a higher fee rate than the miner may pay; details {feeRate, maxFeeRate} in sats per 1000 vbytes',
  },
  'pop-miner/simulation': { severity: 'invalid', doc: 'a simulation was asked for with data or choices that cannot be read' },
  'pop-miner/budget': { severity: 'retry', doc: "the day's budget is spent; details {limitSats, spentSats, feeSats}" },
  'pop-miner/held': { severity: 'retry', doc: 'an earlier transaction of the same keystone vanished and could still be mined beside a new one' },
  'pop-miner/refused': { severity: 'retry', doc: 'the Bitcoin node refused a publication; details {rpcCode, rpcMessage} say why' },
});
