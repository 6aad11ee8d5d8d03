import { createHmac, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { crc32 } from 'node:zlib'

const MAGIC = 0x2112a442

const attribute = (type: number, value: Uint8Array): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)])
}

const message = (id: Uint8Array, attributes: Uint8Array, more: number): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x0001, 0)
  head.writeUInt16BE(attributes.length + more, 2)
  head.writeUInt32BE(MAGIC, 4)
  return Buffer.concat([head, id, attributes])
}

/** A STUN binding request as an ICE agent sends it (RFC 8489, RFC 8445 section 7.2.2), signed with `password`. */
export const bindingRequest = (username: string, password: string): Buffer => {
  const id = randomBytes(12)
  const priority = attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x1e, 0xff]))
  const controlling = attribute(0x802a, randomBytes(8))
  const said = Buffer.concat([attribute(0x0006, Buffer.from(username, 'latin1')), priority, controlling])
  const signature = createHmac('sha1', password)
    .update(message(id, said, 24))
    .digest()
  const signed = Buffer.concat([said, attribute(0x0008, signature)])
  const check = Buffer.alloc(4)
  check.writeUInt32BE((crc32(message(id, signed, 8)) ^ 0x5354554e) >>> 0, 0)
  return message(id, Buffer.concat([signed, attribute(0x8028, check)]), 0)
}

/** A socket that sends to a port of this machine. */
export const sender = async (
  port: number,
): Promise<{ readonly send: (datagram: Uint8Array) => Promise<void>; readonly socket: Socket } & AsyncDisposable> => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    socket,
    send: (datagram) =>
      new Promise((resolve, reject) => socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()))),
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
