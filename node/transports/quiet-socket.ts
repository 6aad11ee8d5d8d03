import { WebSocket } from 'ws'

/**
 * A `ws` socket that ends on a bad frame and says nothing else. `ws` also emits `error`, to which @libp2p/websockets (10.1) does not listen:
 * one malformed frame from anybody would be an uncaught exception and end the process. In a browser a WebSocket's errors are silent too.
 */
export class QuietWebSocket extends WebSocket {
  // `ws` itself passes null for a socket that it accepted.
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args)
    this.on('error', () => {})
  }
}
