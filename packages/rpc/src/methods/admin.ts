import { z } from 'zod';
import { type Admin, LOG_LEVELS } from '../admin-port.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';
import { hash } from '../param.ts';
import { adminInfoResult, logLevelResult } from '../result/node.ts';
import { hexHash, jsonCount } from '../result/scalar.ts';

function adminOf({ admin }: RpcContext): Admin {
  if (admin === undefined) throw fail('rpc/method-not-found', 'these methods are on the admin port alone');
  return admin;
}

/** What an operator asks of a running node, on the admin port alone (`--admin-port`). */
export const admin: MethodTable = {
  admin_nodeInfo: method({
    doc: 'Admin port: version, role, addresses, head, and why the node is not ready, if it is not.',
    result: adminInfoResult,
    params: {},
    handle(_, context) {
      const { header, hash: headHash } = context.chain.head('latest');
      const { name, chainId } = context.chain.spec.genesis;
      const head = { number: header.number, hash: headHash };
      const genesis = context.chain.head('earliest').hash;
      const { clientVersion, reasons } = context.status;
      return { name: clientVersion, ...adminOf(context).info(), chain: { name, chainId, genesis }, head, reasons: reasons() };
    },
  }),
  admin_setLogLevel: method({
    doc: 'Admin port: the least important log lines that are written from now on; gives the level before.',
    result: logLevelResult,
    params: { level: z.enum(LOG_LEVELS) },
    handle: ({ level }, context) => adminOf(context).setLogLevel(level),
  }),
  admin_lookAtBitcoin: method({
    doc: 'Admin port: asks the Bitcoin node for its tip now, and gives the height that the node then stands at.',
    result: jsonCount,
    params: {},
    async handle(_, context) {
      await adminOf(context).lookAtBitcoin();
      return context.finality.tip().height;
    },
  }),
  admin_reconsider: method({
    doc: 'Admin port: evaluates fork choice anew, and gives the hash of the head.',
    result: hexHash,
    params: {},
    async handle(_, context) {
      await adminOf(context).reconsider();
      return context.chain.head('latest').hash;
    },
  }),
  admin_dropTransaction: method({
    doc: 'Admin port: takes a transaction out of the pool; false when it is not there.',
    result: z.boolean(),
    params: { hash },
    handle: (values, context) => adminOf(context).dropTransaction(values.hash),
  }),
};
