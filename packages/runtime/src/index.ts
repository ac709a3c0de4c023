export { type Clock, systemClock } from './clock.ts';
export { type ConfigSchema, type ConfigSources, describeConfig, loadConfig } from './config.ts';
export { createLogger, type Logger, type LogOptions, silentLogger } from './log.ts';
export { every, type Loop, retry } from './loop.ts';
export { type Random, systemRandom } from './random.ts';
export { Secret } from './secret.ts';
export { createSeededRandom, type SeededRandom } from './seeded-random.ts';
export { createServiceGroup, type Service, type ServiceGroup } from './service.ts';
export { nextTurn } from './turn.ts';
