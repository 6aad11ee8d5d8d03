/** Four bytes that say whether bytes came over whole and in order. */
export const sumOf = (bytes: Uint8Array): readonly number[] => {
  let sum = 7
  for (const byte of bytes) sum = (sum * 31 + byte) % 2_147_483_629
  return [...new Uint8Array(Uint32Array.of(sum).buffer)]
}
