const INPUT_CHARSET = '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ ';
const CHECKSUM_CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn];

function polymod(checksum: bigint, value: number): bigint {
  const top = checksum >> 35n;
  const next = ((checksum & 0x7ffffffffn) << 5n) ^ BigInt(value);
  return GENERATOR.reduce((sum, generator, i) => ((top >> BigInt(i)) & 1n ? sum ^ generator : sum), next);
}

/** The eight characters that stand behind `#` (BIP-380); `undefined` for characters that no descriptor has. */
export function descriptorChecksum(descriptor: string): string | undefined {
  let checksum = 1n;
  let group = 0;
  let grouped = 0;
  for (const character of descriptor) {
    const position = INPUT_CHARSET.indexOf(character);
    if (position < 0) return undefined;
    checksum = polymod(checksum, position & 31);
    group = group * 3 + (position >> 5);
    grouped += 1;
    if (grouped < 3) continue;
    checksum = polymod(checksum, group);
    group = 0;
    grouped = 0;
  }
  if (grouped > 0) checksum = polymod(checksum, group);
  for (let i = 0; i < 8; i += 1) checksum = polymod(checksum, 0);
  checksum ^= 1n;
  return Array.from({ length: 8 }, (_, i) => CHECKSUM_CHARSET[Number((checksum >> BigInt(5 * (7 - i))) & 31n)]).join('');
}
