import { bls12_381 as bls } from '@noble/curves/bls12-381.js';

/** tau·G2 of Ethereum's KZG ceremony: all of its setup that checking a proof needs (EIP-4844). */
const TAU_G2 =
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2';

const { G1, G2, fields } = bls;
type G1Point = ReturnType<typeof G1.Point.fromHex>;
type G2Point = ReturnType<typeof G2.Point.fromHex>;

/** What the caller gave is no point or no field element: @ethereumjs knows it by this text. */
const badArguments = (cause: unknown): Error => new RangeError('C_KZG_BADARGS', { cause });

function toPoint(hex: string): G1Point {
  try {
    const point = G1.Point.fromHex(hex.replace(/^0x/, ''));
    if (!point.is0()) point.assertValidity();
    return point;
  } catch (cause) {
    throw badArguments(cause);
  }
}

function toScalar(hex: string): bigint {
  const value = BigInt(hex);
  if (value >= fields.Fr.ORDER) throw badArguments('not below the modulus');
  return value;
}

const times = <P extends { multiplyUnsafe(by: bigint): P }>(point: P, by: bigint): P => point.multiplyUnsafe(by);

/**
 * Whether `proof` shows that the polynomial behind `commitment` has the value `y` at `z` (EIP-4844,
 * verify_kzg_proof): e(commitment − y·G1, G2) = e(proof, tau·G2 − z·G2). All are 0x-hex.
 *
 * @throws RangeError `C_KZG_BADARGS` for what is no compressed point of the subgroup, or no field element.
 */
export function verifyKzgProof(commitment: string, z: string, y: string, proof: string): boolean {
  const left = toPoint(commitment).subtract(times(G1.Point.BASE, toScalar(y)));
  const right = G2.Point.fromHex(TAU_G2).subtract(times(G2.Point.BASE, toScalar(z)));
  const pairs: { g1: G1Point; g2: G2Point }[] = [
    { g1: left, g2: G2.Point.BASE.negate() },
    { g1: toPoint(proof), g2: right },
  ];
  // A pairing with the point at infinity is one: the library wants it left out.
  const proper = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  return fields.Fp12.eql(bls.pairingBatch(proper), fields.Fp12.ONE);
}
