import { addressToScript, descriptorChecksum, scriptToAddress, toDigits } from '@hemid/protocol';
import { readScriptForm } from '../script-form.ts';
import { RpcCode, readHex, refuse } from './rpc-params.ts';

/** The descriptor that Core infers for an output script, with its checksum. */
export function describeScript(script: Uint8Array): string {
  const text = inferDescriptor(script);
  return `${text}#${descriptorChecksum(text)}`;
}

function inferDescriptor(script: Uint8Array): string {
  const form = readScriptForm(script);
  if (form.type === 'pubkey') return `pk(${toDigits(form.key)})`;
  if (form.type === 'multisig') return `multi(${form.required},${form.keys.map(toDigits).join(',')})`;
  if (form.type === 'witness_v1_taproot') return `rawtr(${toDigits(form.key)})`;
  const address = scriptToAddress(script, 'regtest');
  return address === undefined ? `raw(${toDigits(script)})` : `addr(${address})`;
}

/** The output script of an `addr(…)` or `raw(…)` descriptor, or of an object that holds one as `desc`. */
export function readDescriptor(item: unknown): Uint8Array {
  const text = typeof item === 'object' && item !== null ? (item as { desc?: unknown }).desc : item;
  if (typeof item === 'object' && text === undefined) throw refuse(RpcCode.PARAMETER, 'Descriptor needs to be provided in scan object');
  if (typeof text !== 'string') throw refuse(RpcCode.PARAMETER, 'Scan object needs to be either a string or an object');
  const [body = '', checksum] = text.split('#');
  if (checksum !== undefined) checkChecksum(body, checksum);
  const [, kind, argument = ''] = /^(\w+)\((.*)\)$/.exec(body) ?? [];
  if (kind === 'addr') {
    const script = addressToScript(argument, 'regtest');
    if (script === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Address is not valid');
    return script;
  }
  if (kind === 'raw') {
    const script = readHex(argument);
    if (script === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Raw script is not hex');
    return script;
  }
  throw refuse(RpcCode.ADDRESS_OR_KEY, `'${body}' is not a valid descriptor function`);
}

function checkChecksum(body: string, given: string): void {
  const right = descriptorChecksum(body);
  if (right === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Invalid characters in payload');
  if (given.length !== 8) throw refuse(RpcCode.ADDRESS_OR_KEY, `Expected 8 character checksum, not ${given.length} characters`);
  if (given !== right) throw refuse(RpcCode.ADDRESS_OR_KEY, `Provided checksum '${given}' does not match computed checksum '${right}'`);
}
