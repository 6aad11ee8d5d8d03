'use client'

import { explain, Tally } from 'coalition-client'
import { RefundsProvider, useRefunds, useVerified } from 'coalition-client/react'
import { type FormEvent, useState } from 'react'
import { useTally } from './tally'

/** A server renders what there is before anything is known; the tab connects once it is there. */
export const Refunds = () => {
  const [address, setAddress] = useState<string | null>(null)
  const { handle, problem } = useTally()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    setAddress(new FormData(event.currentTarget).get('address') as string)
  }
  return (
    <RefundsProvider handle={handle}>
      {problem && <p role="alert">{problem.message}</p>}
      <Newest handle={handle} />
      <form onSubmit={submit}>
        <label>
          Address <input name="address" pattern="0x[0-9a-fA-F]{40}" placeholder="0x…" required />
        </label>
        <button type="submit">Show</button>
      </form>
      {address === null ? <p>No address yet.</p> : <OfAddress address={address} />}
    </RefundsProvider>
  )
}

const Newest = ({ handle }: { readonly handle: Tally.Refunds | null }) => {
  const { answer, state } = useVerified(handle)
  const newest = answer?.value
  return (
    <p role="status">
      {state.state}
      {newest?.kind === 'attribution' && `, newest refunds in block ${newest.slot}`}
    </p>
  )
}

const OfAddress = ({ address }: { readonly address: string }) => {
  const { answer, problem } = useRefunds(address)
  return (
    <section>
      {problem && <p role="alert">{problem.message}</p>}
      {answer && (
        <>
          <ol>
            {Tally.standing(answer.value).map((refund) => (
              <li key={`${refund.slot}/${refund.revision}`}>{`${shareOf(refund, address)} wei in block ${refund.slot}`}</li>
            ))}
          </ol>
          <details>
            <summary>
              integrity {answer.verdict.integrity.state}, authority {answer.verdict.authority.state}, freshness{' '}
              {answer.verdict.freshness.state}
            </summary>
            <pre>{explain(answer.verdict)}</pre>
          </details>
        </>
      )}
    </section>
  )
}

/** Wei of one block for an address, which may be named more than once. */
const shareOf = ({ recipients }: Tally.Attribution, address: string): bigint =>
  recipients.filter(({ addr }) => Tally.formatAddress(addr) === address.toLowerCase()).reduce((sum, { amount }) => sum + amount, 0n)
