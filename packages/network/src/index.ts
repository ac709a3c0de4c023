export { fetchBitcoinBlock } from './bitcoin-fetch.ts';
export { createFollowUpstream, type FollowUpstream, type FollowUpstreamDeps } from './follow-upstream.ts';
export { createJsonRpc, type JsonRpcCall } from './json-rpc.ts';
export { createUpstream, type Upstream } from './upstream.ts';
