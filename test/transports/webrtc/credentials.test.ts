import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDial, withCredentials } from '../../../node/transports/webrtc/credentials.ts'

// libp2p specs, webrtc-direct: what a server is told by the USERNAME of a STUN request, and by nothing else. RFC 8839 section 5.4 for the form.

const V1 = 'libp2p+webrtc+v1/'
const V2 = 'libp2p+webrtc+v2/'
const password = 'a1b2c3d4e5f6g7h8i9j0k+'

describe('the USERNAME of a dial', () => {
  it('of version 1 is one text for all four credentials', () => {
    const ufrag = `${V1}abcdefghij`
    const same = { ufrag, password: ufrag }
    expect(readDial(ufrag, ufrag)).toEqual({ version: 1, server: same, client: same })
  })

  it('of version 2 carries the browser’s password, and beside it the browser’s ufrag', () => {
    const server = V2 + password
    expect(readDial(server, 'x7Qz')).toEqual({
      ...{ version: 2, server: { ufrag: server, password: server } },
      client: { ufrag: 'x7Qz', password },
    })
  })

  it.each([
    ['nothing', undefined, undefined],
    ['no version', 'a'.repeat(32), 'a'.repeat(32)],
    ['a version that is not known', `libp2p+webrtc+v3/${password}`, 'x7Qz'],
    ['version 1 with two texts', `${V1}abcdefghij`, `${V1}abcdefghik`],
    ['version 1 too short for a password', `${V1}abcd`, `${V1}abcd`],
    ['version 2 without a password', V2, 'x7Qz'],
    ['version 2 with a password of 21 characters', V2 + password.slice(1), 'x7Qz'],
    ['a ufrag of 3 characters', V2 + password, 'x7Q'],
    ['a ufrag of 257 characters', V2 + password, 'x'.repeat(257)],
    ['a server ufrag of 257 characters', V2 + 'a'.repeat(240), 'x7Qz'],
    ['a line break', `${V2}${password}\r\na=x`, 'x7Qz'],
    ['a line break in the client’s', V2 + password, 'x7Qz\n'],
    ['a colon', `${V2}${password}:`, 'x7Qz'],
    ['a number', 7, 'x7Qz'],
  ])('with %s is passed over', (_, server, client) => {
    expect(readDial(server, client)).toBe(null)
  })

  it('never puts anything but ICE characters into an SDP', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant(password))
    fc.assert(
      fc.property(fc.constantFrom(V1, V2, ''), text, text, (prefix, server, client) => {
        const dial = readDial(prefix + server, client) ?? readDial(prefix + server, prefix + server)
        if (dial === null) return
        for (const { ufrag, password } of [dial.server, dial.client]) expect(ufrag + password).toMatch(/^[A-Za-z0-9+/]{26,512}$/)
      }),
    )
  })
})

describe('an SDP', () => {
  it('gets the credentials in place of its own, and keeps the rest', () => {
    const sdp = 'v=0\na=ice-options:ice2\na=ice-ufrag:old\na=ice-pwd:older\na=setup:active\n'
    expect(withCredentials(sdp, { ufrag: 'new', password: 'newer' })).toBe(
      'v=0\na=ice-options:ice2\na=ice-ufrag:new\na=ice-pwd:newer\na=setup:active\n',
    )
    expect(withCredentials('a=ice-ufrag:old\r\na=ice-pwd:older\r\n', { ufrag: 'n', password: 'm' })).toBe(
      'a=ice-ufrag:n\r\na=ice-pwd:m\r\n',
    )
  })
})
