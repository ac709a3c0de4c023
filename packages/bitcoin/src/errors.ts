import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'bitcoin/rpc': { severity: 'invalid', doc: 'the Bitcoin node refused a call; details {rpcCode, rpcMessage, method} are its own words' },
  'bitcoin/unreachable': { severity: 'retry', doc: 'the Bitcoin node cannot be reached, or does not answer in time' },
  'bitcoin/credentials': { severity: 'fatal', doc: 'the Bitcoin node does not accept the configured user, password or cookie' },
  'bitcoin/warming-up': { severity: 'retry', doc: 'the Bitcoin node is starting and does not answer calls yet' },
  'bitcoin/busy': { severity: 'retry', doc: 'the Bitcoin node has more calls queued than it takes' },
  'bitcoin/pruned': { severity: 'fatal', doc: 'the Bitcoin node has deleted a block that is needed: an unpruned bitcoind must be configured' },
  'bitcoin/regtest-layout': { severity: 'fatal', doc: 'the database of the embedded regtest chain has another layout than this version writes' },
  'bitcoin/wrong-network': { severity: 'fatal', doc: 'the Bitcoin node is on another network than the chain spec says' },
  'bitcoin/behind': { severity: 'retry', doc: 'the Bitcoin node has not come far enough yet' },
  'bitcoin/header-orphan': { severity: 'retry', doc: 'a Bitcoin header, or the parent of one, is not known here (yet)' },
  'bitcoin/header-invalid': { severity: 'invalid', doc: 'a Bitcoin header breaks a rule of its network; details {hash, height, rule}' },
  'bitcoin/block-invalid': { severity: 'invalid', doc: 'a Bitcoin block does not parse, or its body does not belong to its header' },
  'bitcoin/signet-challenge': { severity: 'fatal', doc: 'this node cannot judge a signet challenge of this kind; details {kind}' },
  'bitcoin/block-missing': { severity: 'retry', doc: 'the body of a Bitcoin block is not here (yet)' },
  'bitcoin/view-unavailable': { severity: 'retry', doc: 'the Bitcoin index stands where it cannot answer for this block' },
  'bitcoin/no-coin': { severity: 'retry', doc: 'a key has no coin that is large enough and spendable now' },
  'bitcoin/lie': { severity: 'retry', doc: 'a Bitcoin node answered with a block that is not the one asked for, or not a valid one' },
  'bitcoin/stall': { severity: 'retry', doc: 'a Bitcoin node has had no new block for long while another one has' },
  'bitcoin/zmq': { severity: 'fatal', doc: 'the configured ZMQ endpoint cannot be read' },
  'bitcoin/unspent-file': { severity: 'fatal', doc: 'the file of the unspent set is missing, damaged, or not the one that the chain spec names' },
  'bitcoin/unspent-missing': { severity: 'fatal', doc: 'the chain spec names an unspent set and it has not been loaded (--unspent-set)' },
  'bitcoin/unspent-late': { severity: 'fatal', doc: 'the data directory has indexed blocks without the unspent set that the chain spec names' },
});
