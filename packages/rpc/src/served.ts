import type { Admin } from './admin-port.ts';
import type { Development } from './development-port.ts';

/** What a node opens besides what everybody may ask. */
export interface Opened {
  /** Only on a development network. */
  development?: Development | undefined;
  /** Only on the port of the operator. */
  admin?: Admin | undefined;
}

const DEVELOPMENT = /^(evm|anvil|hardhat|personal)_|^eth_(sendTransaction|sendUnsignedTransaction|sign|signTypedData_v4)$/;
const ADMIN = /^admin_/;

/** Whether a method is there at all: what changes a development network, and what operates a node, is elsewhere not. */
export function isServed(name: string, { development, admin }: Opened): boolean {
  if (DEVELOPMENT.test(name)) return development !== undefined;
  return !ADMIN.test(name) || admin !== undefined;
}
