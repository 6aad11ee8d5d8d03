// The names that both a policy and a verdict are written in.

/** What Intel's TCB info and QE identities say of a TCB, spelt as there. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

/** TD attributes that a policy may allow, with their bits (Intel TDX Module 1.5 ABI Specification, TD_ATTRIBUTES). */
export const TD_ATTRIBUTES = { LASS: 27, MIGRATABLE: 29, PKS: 30, KL: 31, PERFMON: 63 } as const
