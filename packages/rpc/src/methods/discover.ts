import { z } from 'zod';
import { type Method, type MethodTable, method } from '../method.ts';
import { discoveryResult, modulesResult } from '../result/node.ts';

function showMethod(name: string, { doc, params, example, result }: Method): object {
  return {
    name,
    summary: doc,
    paramStructure: 'either',
    params: Object.entries(params).map(([param, schema]) => ({
      name: param,
      required: !schema.safeParse(undefined).success,
      schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    })),
    result: { name: 'result', schema: z.toJSONSchema(result, { unrepresentable: 'any' }) },
    examples: example && [
      {
        name,
        params: example.params.map((value, i) => ({ name: Object.keys(params)[i], value })),
        result: { name: 'result', value: example.result },
      },
    ],
  };
}

/** Methods that tell of the methods of a table, themselves among them. */
export function createDiscovery(table: () => MethodTable): MethodTable {
  const shown = new Map<string, object>();

  function show(name: string, row: Method): object {
    const known = shown.get(name) ?? showMethod(name, row);
    shown.set(name, known);
    return known;
  }

  return {
    'rpc.discover': method({
      doc: 'The methods of this node, as OpenRPC.',
      result: discoveryResult,
      params: {},
      handle: (_, { limits, status }) => ({
        openrpc: '1.3.2',
        info: { title: 'JSON-RPC of hemid', version: status.clientVersion },
        methods: Object.entries(table())
          .filter(([name]) => limits.allows(name))
          .map(([name, row]) => show(name, row)),
      }),
    }),
    rpc_modules: method({
      doc: 'The namespaces of this node.',
      result: modulesResult,
      params: {},
      handle: (_, { limits }) => {
        const names = Object.keys(table()).filter((name) => limits.allows(name));
        return Object.fromEntries(names.map((name) => [name.split(/[_.]/)[0], '1.0']));
      },
    }),
  };
}
