/** What another custodian has made known of a batch. */
export interface Received {
  /** Whom it came from: a URL or a file, for the log. */
  from: string;
  /** Base64. */
  psbt: string;
}

/** How custodians show one another their signatures. Nothing that comes this way is believed. */
export interface PartialExchange {
  /** Shows this custodian's PSBT of a batch (txid in display order) until there is another. */
  publish(txid: string, psbt: string): Promise<void>;
  /** What the others show of it. `onTrouble` hears of those who do not answer. */
  collect(txid: string, onTrouble: (from: string, error: unknown) => void, signal?: AbortSignal): Promise<Received[]>;
}

/** Several exchanges as one. */
export function joinExchanges(exchanges: readonly PartialExchange[]): PartialExchange {
  return {
    async publish(txid, psbt) {
      for (const exchange of exchanges) await exchange.publish(txid, psbt);
    },
    async collect(txid, onTrouble, signal) {
      return (await Promise.all(exchanges.map((exchange) => exchange.collect(txid, onTrouble, signal)))).flat();
    },
  };
}
