import type { Logger } from './log.ts';

/** A part of the node with a life: started in order, stopped in reverse. */
export interface Service {
  readonly name: string;
  /** Resolves when the service does its work; `signal` aborts when the node stops. */
  start(signal: AbortSignal): Promise<void> | void;
  /** Resolves when nothing of it runs any more. Called also after a failed start of a later service. */
  stop(): Promise<void> | void;
}

/** An ordered set of services that live and die together. */
export interface ServiceGroup {
  /** Starts in order; if one fails, stops those already started, in reverse, and rethrows. */
  start(): Promise<void>;
  /** Aborts the signal, then stops in reverse order. Every stop is tried; the first failure is rethrown. */
  stop(): Promise<void>;
  /** Aborted when the group begins to stop. */
  readonly signal: AbortSignal;
}

/** Binds services into one {@link ServiceGroup}. */
export function createServiceGroup(services: readonly Service[], log: Logger): ServiceGroup {
  const controller = new AbortController();
  const started: Service[] = [];

  async function stop(): Promise<void> {
    controller.abort();
    let failure: unknown;
    for (let service = started.pop(); service !== undefined; service = started.pop()) {
      try {
        await service.stop();
        log.debug({ service: service.name }, 'service stopped');
      } catch (error) {
        log.error({ service: service.name, err: error }, 'service failed to stop');
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async function start(): Promise<void> {
    for (const service of services) {
      try {
        started.push(service);
        await service.start(controller.signal);
        log.debug({ service: service.name }, 'service started');
      } catch (error) {
        await stop().catch(() => undefined);
        throw error;
      }
    }
  }

  return { start, stop, signal: controller.signal };
}
