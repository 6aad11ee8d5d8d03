import { AbstractMultiaddrConnection, type AbstractMultiaddrConnectionInit, type SendResult } from '@libp2p/utils'
import type { Session } from './session.ts'
import type { Chunks } from './stream.ts'

/** A session as the connection that libp2p upgrades. It carries no bytes of its own: its streams do. */
export class SessionConnection extends AbstractMultiaddrConnection {
  readonly #session: Session

  constructor({ session, ...init }: AbstractMultiaddrConnectionInit & { readonly session: Session }) {
    super(init)
    this.#session = session
    session.onClosed(() => this.onTransportClosed())
  }

  sendData(data: Chunks): SendResult {
    return { sentBytes: data.byteLength, canSendMore: true }
  }

  sendReset(): void {
    this.#session.abort()
  }

  async sendClose(): Promise<void> {
    this.#session.close()
  }

  sendPause(): void {}

  sendResume(): void {}
}
