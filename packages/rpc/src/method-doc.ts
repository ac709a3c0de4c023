import type { Method, MethodTable } from './method.ts';

const isOptional = (schema: Method['params'][string]): boolean => schema.safeParse(undefined).success;

/** How a method is called: `eth_call(call, block?)`. */
export function signatureOf(name: string, { params }: Method): string {
  const names = Object.entries(params).map(([param, schema]) => (isOptional(schema) ? `${param}?` : param));
  return `${name}(${names.join(', ')})`;
}

const namespaceOf = (name: string): string => name.split(/[_.]/)[0] ?? name;

/** `docs/rpc.md`: every method of a table, by namespace. */
export function renderMethodDoc(methods: MethodTable): string {
  const namespaces = new Map<string, string[]>();
  for (const [name, row] of Object.entries(methods)) {
    const rows = namespaces.get(namespaceOf(name)) ?? [];
    namespaces.set(namespaceOf(name), [...rows, `| \`${signatureOf(name, row)}\` | ${row.doc.replaceAll('|', '\\|')} |`]);
  }
  const sections = [...namespaces].map(([namespace, rows]) => `## ${namespace}\n\n| method | gives |\n|---|---|\n${rows.join('\n')}\n`);
  return [
    '# JSON-RPC of hemid\n',
    'Written by `npm run configs` from the table of methods; a test compares it. Parameters go by position or by name; `?` marks those that may be',
    'left out. `rpc.discover` gives the same as OpenRPC, with a schema of each parameter. What a node takes upon itself (batches, rates, ranges, gas,',
    'time, methods, origins) stands in [config.md](config.md) under `--rpc-…`. The methods of `evm_`, `anvil_`, `hardhat_`, `personal_`,',
    '`eth_sendTransaction`, `eth_sign` and `eth_signTypedData_v4` are there on development networks alone (`hemid dev`), those of `admin_` on the admin',
    'port alone (`--admin-port`, with `Authorization: Bearer` and what stands in `--admin-token-file`).\n',
    ...sections,
  ].join('\n');
}
