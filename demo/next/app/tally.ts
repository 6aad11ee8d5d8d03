import { connect, Tally } from 'coalition-client'
import { useEffect, useState } from 'react'
// What the lattice's operator published, compiled in: it holds the committee's keys.
import handshake from '../handshake.json'

/** The tally's handle for as long as the component is mounted; null before it is open, and on a server. */
export const useTally = (): { readonly handle: Tally.Refunds | null; readonly problem: Error | null } => {
  const [handle, setHandle] = useState<Tally.Refunds | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    const opening = open(controller.signal)
    opening.then(
      ({ refunds }) => !controller.signal.aborted && setHandle(refunds),
      (error: Error) => !controller.signal.aborted && setProblem(error),
    )
    return () => {
      controller.abort()
      setHandle(null)
      void opening.then(({ close }) => close()).catch(() => {})
    }
  }, [])
  return { handle, problem }
}

interface Open {
  readonly refunds: Tally.Refunds
  readonly close: () => Promise<void>
}

const open = async (signal: AbortSignal): Promise<Open> => {
  const network = await connect({ bootstrap: handshake.bootstrap, signal })
  try {
    const refunds = await Tally.read(network, handshake.tally, { signal })
    const close = async (): Promise<void> => {
      await refunds[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
    }
    return { refunds, close }
  } catch (error) {
    await network[Symbol.asyncDispose]()
    throw error
  }
}
