import type { ConnectOptions } from '../network/network.ts'

type Options = ConnectOptions & { readonly worker?: unknown }

/** Which options are one network: all of them, whatever their order. */
export const networkKey = ({ signal: _, onProgress: __, worker: ___, ...rest }: Options): string =>
  JSON.stringify({ ...rest, bootstrap: [...rest.bootstrap].sort() }, Object.keys(rest).sort())
