/**
 * The byte that COALITION and CONFLUENCE fold: raw 0x01, not the digit "1" (IDENTITY.md, GAP-05).
 * It stands alone in this file so that a test can replace it: another version must move every such id (IDN-03).
 */
export const SCHEMA_VERSION = 1
