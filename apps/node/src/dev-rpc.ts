import type { RpcDeps } from '@hemid/rpc';
import { createDevAccounts } from './dev-accounts.ts';
import type { Node } from './node.ts';

/** What the RPC of a development network has besides: its verbs, and a pool that knows of automine and of calls. */
export function withDevelopment(deps: RpcDeps, { development }: Node): RpcDeps {
  if (development === undefined) return deps;
  const { pool } = deps;
  const accounts = createDevAccounts();
  return {
    ...deps,
    development: {
      ...development,
      ...accounts,
      async reset() {
        await development.reset();
        accounts.forgetImpersonated();
      },
    },
    pool: {
      ...pool,
      async submit(raw) {
        const hash = await pool.submit(raw);
        await development.arrived();
        return hash;
      },
      nonce: development.nonce,
      read: (hash) => pool.read(hash) ?? development.readCall(hash),
    },
  };
}
