import { once } from 'node:events'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'

/**
 * The Huffman code of a text as Node's own HTTP/2 (nghttp2) writes it, or null where the plain form is shorter and it writes that. Looked
 * up in the bytes of a request to a server that does not answer.
 */
export const huffmanOf = async (texts: readonly string[]): Promise<readonly (Uint8Array | null)[]> => {
  const server = createServer((socket) => socket.on('error', () => {}))
  const received = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      let bytes = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk])
        const block = blockOf(bytes)
        if (block) resolve(block)
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => {})
  const request = session.request(Object.fromEntries(texts.map((text, i) => [`x-${String(i).padStart(3, '0')}`, text])))
  request.on('error', () => {})
  try {
    return valuesOf(await received, texts)
  } finally {
    session.destroy()
    server.close()
  }
}

/** The header block of the one HEADERS frame (RFC 9113 section 4.1), behind a preface of 24 bytes. */
const blockOf = (bytes: Buffer): Buffer | null => {
  for (let at = 24; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    const end = at + 9 + length
    if (bytes[at + 3] === 1 && end <= bytes.length) {
      if (!((bytes[at + 4] as number) & 4)) throw new Error('the block goes on in another frame')
      return bytes.subarray(at + 9 + (((bytes[at + 4] as number) & 0x20) !== 0 ? 5 : 0), end)
    }
    at = end
  }
  return null
}

/** Values of the literals with a new name (RFC 7541 section 6.2), which all of ours are, in their order. */
const valuesOf = (block: Buffer, texts: readonly string[]): readonly (Uint8Array | null)[] => {
  let at = 0
  const int = (bits: number): number => {
    const most = (1 << bits) - 1
    let value = (block[at++] as number) & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      const byte = block[at++] as number
      value += (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const text = (): { readonly isHuffman: boolean; readonly bytes: Buffer } => {
    const isHuffman = ((block[at] as number) & 0x80) !== 0
    const length = int(7)
    at += length
    return { isHuffman, bytes: block.subarray(at - length, at) }
  }
  const found: (Uint8Array | null)[] = []
  while (at < block.length) {
    const first = block[at] as number
    if (first & 0x80) {
      int(7)
      continue
    }
    const isNew = int(first & 0x40 ? 6 : 4) === 0
    if (isNew) text()
    const value = text()
    if (isNew) found.push(value.isHuffman ? new Uint8Array(value.bytes) : null)
  }
  if (found.length < texts.length) throw new Error('a header is missing')
  return found.slice(-texts.length)
}
