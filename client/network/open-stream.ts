import type { ByteStream, Link } from './host.ts'
import { race, whenAborted } from './scope.ts'

/** A stream for one exchange, ended with the signal. @throws the signal's reason, or what the transport throws */
export const openStream = (link: Link, protocol: string, signal: AbortSignal): Promise<ByteStream> => {
  const opening = link.stream(protocol, { signal })
  // A stream that comes after the caller has given up is closed here, or nobody would.
  opening.then(
    (stream) => whenAborted(signal, () => stream.abort(signal.reason as Error)),
    () => {},
  )
  return race(opening, signal)
}
