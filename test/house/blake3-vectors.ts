// From the official BLAKE3 test vectors: input byte i is i mod 251, the first 32 bytes of the output. Lengths about the borders of a
// block (64) and a chunk (1,024), where an implementation goes wrong first.
export const BLAKE3_VECTORS: readonly (readonly [length: number, hex: string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
]

export const blake3Input = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => i % 251)
