import type { Method, MethodTable } from './method.ts';
import { createTypeDoc, type TypeDoc } from './type-doc.ts';

const isOptional = (schema: Method['params'][string]): boolean => schema.safeParse(undefined).success;

/** How a method is called: `eth_call(call, block?)`. */
export function signatureOf(name: string, { params }: Method): string {
  const names = Object.entries(params).map(([param, schema]) => (isOptional(schema) ? `${param}?` : param));
  return `${name}(${names.join(', ')})`;
}

const namespaceOf = (name: string): string => name.split(/[_.]/)[0] ?? name;

const cell = (text: string): string => text.replaceAll('|', '\\|');

function rowOf(name: string, method: Method, types: TypeDoc): string {
  const { doc, result } = method;
  return `| \`${signatureOf(name, method)}\` | \`${cell(types.nameOf(result))}\` | ${cell(doc)} |`;
}

function exampleOf(name: string, { example }: Method): string {
  if (example === undefined) return '';
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: name, params: example.params });
  return `\n\`${name}\`:\n\n\`\`\`json\n${call}\n${JSON.stringify(example.result, undefined, 2)}\n\`\`\`\n`;
}

/** `docs/rpc.md`: every method of a table, by namespace, and the types of their answers. */
export function renderMethodDoc(methods: MethodTable): string {
  const types = createTypeDoc();
  const namespaces = new Map<string, [name: string, row: Method][]>();
  for (const [name, row] of Object.entries(methods)) {
    const rows = namespaces.get(namespaceOf(name)) ?? [];
    namespaces.set(namespaceOf(name), [...rows, [name, row]]);
  }
  const sections = [...namespaces].map(([namespace, rows]) => {
    const table = rows.map(([name, row]) => rowOf(name, row, types)).join('\n');
    return `## ${namespace}\n\n| method | answer | gives |\n|---|---|---|\n${table}\n${rows.map(([name, row]) => exampleOf(name, row)).join('')}`;
  });
  return [
    '# JSON-RPC of hemid\n',
    'Written by `npm run configs` from the table of methods; a test compares it. Parameters go by position or by name; `?` marks those that may be',
    'left out. `rpc.discover` gives the same as OpenRPC, with a schema of each parameter and of each answer; the types stand at',
    'the end. What a node takes upon itself (batches, rates, ranges, gas, time, methods, origins) stands in [config.md](config.md) under `--rpc-…`.',
    'The methods of `evm_`, `anvil_`, `hardhat_`, `personal_`, `eth_sendTransaction`, `eth_sendUnsignedTransaction`, `eth_sign` and',
    '`eth_signTypedData_v4` are there on development networks alone (`hemid dev`), those of `admin_` on the admin port alone (`--admin-port`, with `Authorization: Bearer` and what stands in',
    '`--admin-token-file`).\n',
    ...sections,
    `## Types of answers\n\n${types.render()}`,
  ].join('\n');
}
