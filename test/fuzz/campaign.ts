/** Cases per target: HEMID_FUZZ, or 1,000,000 in the long run, or 20,000. */
export const CASES = Number(process.env['HEMID_FUZZ'] ?? (process.env['HEMID_LONG'] === undefined ? 20_000 : 1_000_000));

/** Where the campaign begins; a failure names it. */
export const SEED = Number(process.env['HEMID_SEED'] ?? 20_261_120);

/** Milliseconds that a campaign may take: the default one with much to spare. */
export const TIMEOUT_MS = 60_000 + CASES * 2;
