/** The best block of a source. */
export interface BitcoinHead {
  height: number;
  /** Display order. */
  hash: string;
  /** Its own timestamp; seconds since the Unix epoch. */
  time: number;
}
