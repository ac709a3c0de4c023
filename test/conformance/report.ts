/** Collects the outcome of conformance cases and prints it. */
export interface Report {
  /** Runs one case; what it throws is its failure. */
  check(name: string, run: () => void | Promise<void>): Promise<void>;
  /** Counts a case as skipped, with the reason. */
  skip(name: string, reason: string): void;
  /** Prints the closing line; @returns the exit code. */
  close(): number;
}

/** A {@link Report} that writes to standard output. */
export function createReport(): Report {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  return {
    async check(name, run) {
      try {
        await run();
        counts.passed += 1;
      } catch (error) {
        counts.failed += 1;
        console.log(`FAILED ${name}: ${(error as Error).message}`);
      }
    },
    skip(name, reason) {
      counts.skipped += 1;
      console.log(`skipped ${name}: ${reason}`);
    },
    close() {
      console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
    },
  };
}
