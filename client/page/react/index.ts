import { createContext, createElement, type ReactNode, useContext, useMemo, useSyncExternalStore } from 'react'
import type * as Tally from '../../lattice/tally/index.ts'
import type { Handle } from '../../network/handle.ts'
import { type Followed, type Follower, followLatest, followRefunds, NOTHING } from '../follow.ts'

// `coalition-client/react`: hooks over a handle. React is the page's own.

export type { Followed } from '../follow.ts'

const Refunds = createContext<Tally.Refunds | null>(null)

/** Gives a handle to every `useRefunds` below it; null until there is one. */
export const RefundsProvider = ({
  handle,
  children,
}: {
  readonly handle: Tally.Refunds | null
  readonly children?: ReactNode
}): ReactNode => createElement(Refunds.Provider, { value: handle }, children)

/** The newest item of a surface with its verdict, kept current; nothing while there is no handle, and on a server. */
export const useVerified = <T>(handle: Handle<T> | null): Followed<T | null> =>
  useFollower(useMemo(() => handle && followLatest(handle), [handle]))

/** Every refund that names an address, oldest first, and every reversal of one: complete, or `problem` says why not. */
export const useRefunds = (address: string | null): Followed<readonly Tally.Refund[]> => {
  const handle = useContext(Refunds)
  return useFollower(useMemo(() => (handle && address !== null ? followRefunds(handle, address) : null), [handle, address]))
}

const useFollower = <R>(follower: Follower<R> | null): Followed<R> =>
  useSyncExternalStore(follower?.subscribe ?? never, follower?.current ?? nothing, nothing)

const nothing = (): Followed<never> => NOTHING
const never = (): (() => void) => () => {}
