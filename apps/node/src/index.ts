export { type DbContext, type DbEnd, openDbNode } from './db-node.ts';
export { runDbVerify } from './db-verify.ts';
export { devKey, devVaultScript } from './dev-key.ts';
export { withDevelopment } from './dev-rpc.ts';
export { createNode, type Node, type NodeDeps, type NodeOptions } from './node.ts';
export { createProvenanceDeps } from './provenance-deps.ts';
export { createRpcDeps, createTbcDeps } from './rpc-deps.ts';
export { completeTemplate, readChainSpec, type TemplateChoice } from './spec-template.ts';
