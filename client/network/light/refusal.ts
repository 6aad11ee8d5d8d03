import { ERROR_CODE, type ResponseOf } from './messages.ts'

/** Why a server does not answer: thrown on the way, sent as an `error`, seen by nobody else. */
export class Refusal extends Error {
  readonly code: keyof typeof ERROR_CODE
  readonly have: bigint
  readonly retryMs: number

  constructor(code: keyof typeof ERROR_CODE, text: string, facts: { readonly have?: bigint; readonly retryMs?: number } = {}) {
    super(text)
    this.code = code
    this.have = facts.have ?? 0n
    this.retryMs = facts.retryMs ?? 0
  }
}

/** Longest text of an `error`, in characters: four bytes of UTF-8 each still fit the 256 that a decoder takes. */
const TEXT = 64

/** The `error` that a refusal is sent as. */
export const errorOf = ({ code, have, retryMs, message }: Refusal): ResponseOf<'error'> => ({
  code: ERROR_CODE[code],
  have,
  retryMs,
  text: [...message].slice(0, TEXT).join(''),
})
