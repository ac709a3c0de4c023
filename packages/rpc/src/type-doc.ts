import { z } from 'zod';

/** The types of answers as the documentation writes them, by the titles of their schemas. */
export interface TypeDoc {
  /** How a schema is written: `block | null`, `hash[]`. */
  nameOf(schema: z.ZodType): string;
  /** A line on each type that was named so far, and on the types in it. */
  render(): string;
}

interface Shape {
  title?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Shape[];
  oneOf?: Shape[];
  items?: Shape;
  pattern?: string;
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
}

/** Creates an empty {@link TypeDoc}. */
export function createTypeDoc(): TypeDoc {
  const lines = new Map<string, string>();

  const alternatives = (shape: Shape): Shape[] => shape.anyOf ?? shape.oneOf ?? [];

  function show(shape: Shape): string {
    if (shape.title === undefined) return spell(shape);
    const known = lines.get(shape.title);
    // Those that it is made of come behind it.
    if (known === undefined) lines.set(shape.title, '');
    const text = spell(shape);
    if (known !== undefined && known !== text) throw new Error(`two types are called "${shape.title}": ${known} and ${text}`);
    lines.set(shape.title, text);
    return shape.title;
  }

  function list(items: Shape): string {
    const name = show(items);
    return /[|{]/.test(name) ? `(${name})[]` : `${name}[]`;
  }

  function spell(shape: Shape): string {
    if (alternatives(shape).length > 0) return alternatives(shape).map(show).join(' | ');
    if (shape.const !== undefined) return JSON.stringify(shape.const);
    if (shape.enum !== undefined) return shape.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (shape.type === 'array') return list(shape.items ?? {});
    if (shape.properties !== undefined) {
      const fields = Object.entries(shape.properties).map(
        ([name, field]) => `${name}${shape.required?.includes(name) === true ? '' : '?'}: ${show(field)}`,
      );
      return `{ ${fields.join(', ')} }`;
    }
    if (typeof shape.additionalProperties === 'object') return `{ …: ${show(shape.additionalProperties)} }`;
    return shape.pattern === undefined ? [shape.type ?? 'any'].flat().join(' | ') : `string, ${shape.pattern}`;
  }

  return {
    nameOf: (schema) => show(z.toJSONSchema(schema, { unrepresentable: 'any' }) as Shape),
    render: () => [...lines].map(([title, text]) => `* **${title}**: \`${text}\`\n`).join(''),
  };
}
