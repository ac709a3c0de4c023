import { configDefaults, defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';

// Without 'import': a package's CommonJS half must not be given the ESM half of its dependencies.
const conditions = ['@hemid/source', 'node', 'module'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'contracts/test/**/*.test.ts', 'test/**/*.test.ts'],
    // The clients of test/clients are fetched from npm, 600 MB in all: npm run test:long has them.
    exclude: [...configDefaults.exclude, ...(process.env['HEMID_LONG'] === undefined ? ['test/clients/**'] : [])],
    reporters: ['default', new ClosingLineReporter()],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
