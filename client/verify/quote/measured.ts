/** Bytes of the measurements that criteria may name. */
export const MEASURED = {
  mrTd: 48,
  rtmr0: 48,
  rtmr1: 48,
  rtmr2: 48,
  rtmr3: 48,
  mrSeam: 48,
  mrSignerSeam: 48,
  mrConfigId: 48,
  mrOwner: 48,
  mrOwnerConfig: 48,
  mrEnclave: 32,
  mrSigner: 32,
} as const
