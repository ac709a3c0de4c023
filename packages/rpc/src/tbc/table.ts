import { chainCommands } from './chain-commands.ts';
import { coinCommands } from './coin-commands.ts';
import type { CommandTable } from './command.ts';
import { keystoneCommands } from './keystone-commands.ts';
import { transactionCommands } from './transaction-commands.ts';

/** Every command that the TBC endpoint answers (protocol section 12). */
export const commands: CommandTable = { ...chainCommands, ...coinCommands, ...transactionCommands, ...keystoneCommands };
