import { fail } from '../errors.ts';
import { callTracer } from './call-tracer.ts';
import { flatCallTracer } from './flat-call-tracer.ts';
import { fourByteTracer } from './four-byte-tracer.ts';
import { prestateTracer } from './prestate-tracer.ts';
import { structLogTracer } from './struct-log.ts';
import type { Traced, TraceOptions, Tracer, TracerFactory } from './tracer.ts';

/** Several tracers at once: settings by the name of each. */
const muxTracer: TracerFactory = async (traced, options) => {
  const tracers: [name: string, tracer: Tracer][] = [];
  for (const [name, config] of Object.entries(options.tracerConfig)) {
    const tracerConfig = typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
    tracers.push([name, await openTracer(traced, { ...options, tracer: name, tracerConfig })]);
  }
  return {
    observer: {
      async step(step) {
        for (const [, { observer }] of tracers) await observer.step?.(step);
      },
      async enter(frame) {
        for (const [, { observer }] of tracers) await observer.enter?.(frame);
      },
      async exit(result) {
        for (const [, { observer }] of tracers) await observer.exit?.(result);
      },
    },
    async result(done) {
      const results: Record<string, unknown> = {};
      for (const [name, tracer] of tracers) results[name] = await tracer.result(done);
      return results;
    },
  };
};

const TRACERS: Record<string, TracerFactory> = {
  callTracer,
  flatCallTracer,
  '4byteTracer': fourByteTracer,
  prestateTracer,
  muxTracer,
  noopTracer: () => ({ observer: {}, result: () => ({}) }),
};

/** Begins a trace of the kind that `options` names; struct logs when they name none. @throws `rpc/invalid-params` */
export async function openTracer(traced: Traced, options: TraceOptions): Promise<Tracer> {
  if (options.tracer === undefined) return structLogTracer(traced, options);
  const factory = Object.hasOwn(TRACERS, options.tracer) ? TRACERS[options.tracer] : undefined;
  if (factory === undefined) {
    throw fail(
      'rpc/invalid-params',
      `there is no tracer ${options.tracer.slice(0, 64)}, only ${Object.keys(TRACERS).join(', ')}, and struct logs without a name`,
    );
  }
  return factory(traced, options);
}
