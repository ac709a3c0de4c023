import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from './wait-for.ts';

/** A program of this workspace, running as a process of its own. */
export interface ProgramProcess {
  pid: number;
  /** All it has written so far. */
  output(): string;
  /** Exit code, or the signal that ended it; `undefined` while it runs. */
  end(): number | string | undefined;
  /** SIGTERM, and waits. @returns how it ended. */
  stop(): Promise<number | string>;
  /** SIGKILL, and waits. */
  kill(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = 'scripts/program.mjs';

/** Starts `entry` (a path from the root of the workspace) with arguments and more environment; a hemid holds its answers against their schemas. */
export function startProgram(entry: string, args: readonly string[], env: Record<string, string> = {}): ProgramProcess {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, entry, ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', HEMID_RPC_CHECK_ANSWERS: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const end = (): number | string | undefined => child.exitCode ?? child.signalCode ?? undefined;
  const ended = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 0)));
  if (child.pid === undefined) throw new Error(`${entry} did not start`);
  return {
    pid: child.pid,
    output: () => output,
    end,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** How a program ended that was left to end by itself. */
export interface ProgramEnd {
  code: number;
  out: string;
  err: string;
}

/** Runs `entry` (a path from the root of the workspace) to its end. */
export function runProgram(entry: string, args: readonly string[]): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, entry, ...args], { cwd: ROOT }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** Waits until a program has written a text that matches; @returns the match. Fails if it ends before. */
export async function waitForOutput(program: ProgramProcess, pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
  return waitFor(
    () => {
      const match = pattern.exec(program.output());
      if (match === null && program.end() !== undefined) throw new Error(`the program ended (${program.end()}):\n${program.output()}`);
      return match ?? undefined;
    },
    { timeoutMs, what: () => `output like ${pattern}; so far:\n${program.output()}` },
  );
}
