/** What became of calls, by method. */
export interface CallMetrics {
  count(method: string, call: { ms: number; failed: boolean }): void;
  /** In Prometheus' text format. */
  render(): string;
}

interface Row {
  calls: number;
  failures: number;
  ms: number;
}

/** Counts calls; only names of the method table get here, so that nobody can make up new rows. */
export function createCallMetrics(): CallMetrics {
  const rows = new Map<string, Row>();

  function lines(name: string, { help, value }: { help: string; value(row: Row): number }): string[] {
    const values = [...rows].map(([method, row]) => `${name}{method="${method}"} ${value(row)}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...values];
  }

  return {
    count(method, { ms, failed }) {
      const row = rows.get(method) ?? { calls: 0, failures: 0, ms: 0 };
      row.calls += 1;
      row.failures += failed ? 1 : 0;
      row.ms += ms;
      rows.set(method, row);
    },
    render: () =>
      [
        ...lines('hemid_rpc_calls_total', { help: 'JSON-RPC calls.', value: ({ calls }) => calls }),
        ...lines('hemid_rpc_failures_total', { help: 'JSON-RPC calls that were answered with an error.', value: ({ failures }) => failures }),
        ...lines('hemid_rpc_seconds_total', { help: 'Time that JSON-RPC calls took.', value: ({ ms }) => ms / 1000 }),
        '',
      ].join('\n'),
  };
}
