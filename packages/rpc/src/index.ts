export type { Admin, LogLevel } from './admin-port.ts';
export { type AdminServer, createAdminServer } from './admin-server.ts';
export { createRpcContext, type RpcContext, type RpcDeps } from './context.ts';
export type { Development } from './development-port.ts';
export { invoke } from './invoke.ts';
export { createLimits, type RpcLimits, rpcConfig } from './limits.ts';
export type { ListenOptions } from './listen.ts';
export { createLongReader, type LongReader } from './long-read.ts';
export type { Method, MethodTable, Params } from './method.ts';
export { renderMethodDoc } from './method-doc.ts';
export { methods } from './methods/table.ts';
export type {
  BestBitcoin,
  BitcoinBlocks,
  BitcoinGateway,
  LongRead,
  LongReads,
  NodeStatus,
  PublicationReader,
  RuleReader,
  TransactionPool,
} from './ports.ts';
export { createRestServer, type RestDeps, type RestServer } from './rest/server.ts';
export { type RpcError, toRpcError } from './rpc-error.ts';
export { createRules } from './rules.ts';
export { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts';
export type { Start } from './session.ts';
export type { TbcDeps } from './tbc/command.ts';
export { createTbcServer, type TbcServer } from './tbc/server.ts';
export type { Json } from './wire.ts';
export type { WireText } from './wire-text.ts';
