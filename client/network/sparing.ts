import { MAX_WINDOW } from './link.ts'

// noise and yamux as both hosts use them: what js-libp2p's do for each message, and others do not, is spared. The shapes below are what is
// used of @libp2p/noise and @libp2p/yamux, fields among them that these keep to themselves, so that nothing of them is imported here.

/** After an update that renames a field all would be as costly as before, without a word. */
const changed = (name: string): Error => new Error(`@libp2p/${name} has changed: its work cannot be spared`)

/** Options for `yamux`: windows below libp2p's read buffer, see MAX_WINDOW. */
export const STREAMS = { streamOptions: { maxStreamWindowSize: MAX_WINDOW } } as const

interface YamuxStream {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate: () => void
}

interface MuxerFactory {
  createStreamMuxer: (connection: never) => object
}

/** States of its streams in which a window update tells of nothing but room. */
const SYN_SENT = 1
const ESTABLISHED = 3

/**
 * A yamux that tells its peer of room when half of a window is used up, as hashicorp's and rust-yamux do. js-libp2p's tells it after each
 * frame: a message to send, encrypt and read for every one that comes, and a reader of many streams is mostly busy with them.
 */
export const sparingYamux =
  <F extends MuxerFactory>(yamux: () => F) =>
  (): F => {
    const factory = yamux()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection: never) => {
      const muxer = create(connection) as { _newStream: (...args: never[]) => YamuxStream }
      if (typeof muxer._newStream !== 'function') throw changed('yamux')
      const open = muxer._newStream.bind(muxer)
      muxer._newStream = (...args) => spared(open(...args))
      return muxer
    }
    return factory
  }

const spared = (stream: YamuxStream): YamuxStream => {
  const tell = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = stream
    const isRoomOnly = state === SYN_SENT || state === ESTABLISHED
    if (!isRoomOnly || recvWindow - recvWindowCapacity >= recvWindow / 2) tell()
  }
  return stream
}

interface Secured {
  readonly connection: { readonly decoder?: { lengthDecoder: (data: { readonly length: number }) => number } }
}

interface Encrypter {
  secureInbound: (...args: never[]) => Promise<object>
  secureOutbound: (...args: never[]) => Promise<object>
}

/** What the decoder takes for "no length yet". */
const NO_LENGTH = new RangeError('fewer bytes than a length has')

/**
 * A noise whose end of each message costs no stack trace: after the last whole message of a chunk js-libp2p's asks for the next length, and is
 * told that there is none by an error made on the spot, a tenth of all work for small messages.
 */
export const sparingNoise =
  <C, E extends Encrypter>(noise: (components: C) => E) =>
  (components: C): E => {
    const encrypter = noise(components)
    for (const side of ['secureInbound', 'secureOutbound'] as const) {
      const secure = encrypter[side].bind(encrypter)
      encrypter[side] = async (...args) => {
        const secured = await secure(...args)
        const { decoder } = (secured as Secured).connection
        if (typeof decoder?.lengthDecoder !== 'function') throw changed('noise')
        const read = decoder.lengthDecoder
        decoder.lengthDecoder = (data) => {
          if (data.length < 2) throw NO_LENGTH
          return read(data)
        }
        return secured
      }
    }
    return encrypter
  }
