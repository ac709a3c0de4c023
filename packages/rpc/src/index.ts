export { createRpcContext, type RpcContext, type RpcDeps } from './context.ts';
export { invoke } from './invoke.ts';
export type { Method, MethodTable, Params } from './method.ts';
export { methods } from './methods/table.ts';
export type { BitcoinBlocks, NodeStatus, RuleReader, TransactionPool } from './ports.ts';
export { type RpcError, toRpcError } from './rpc-error.ts';
export { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts';
export { createRules } from './rules.ts';
export type { Json } from './wire.ts';
