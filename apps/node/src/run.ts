import { isHemidError } from '@hemid/protocol';
import { createServiceGroup, type Logger, type Service } from '@hemid/runtime';

/** How a run ended. */
export interface RunEnd {
  exitCode: number;
}

/** Waits for SIGINT or SIGTERM. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
  });
}

/** A promise that the first failing service rejects; hand `fail` to the services. */
export function createFailure(): { fail: (error: unknown) => void; failed: Promise<never> } {
  let reject: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, r) => {
    reject = r;
  });
  failed.catch(() => undefined);
  return { fail: (error) => reject(error), failed };
}

/**
 * Starts services in order, runs until a signal or a failure, and stops them in reverse order.
 *
 * @param onStarted called when all are up.
 */
export async function runServices(
  services: readonly Service[],
  deps: { log: Logger; failed: Promise<never> },
  onStarted: () => void,
): Promise<RunEnd> {
  const group = createServiceGroup(services, deps.log);
  const stopSignal = signalled();
  await group.start();
  onStarted();
  let exitCode = 0;
  try {
    await Promise.race([stopSignal, deps.failed]);
  } catch (error) {
    const fields = isHemidError(error) ? { code: error.code, ...error.details } : { err: error };
    deps.log.error(fields, `the node stops: ${(error as Error).message}`);
    exitCode = 1;
  }
  await group.stop();
  return { exitCode };
}
