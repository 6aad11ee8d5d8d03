import { createPublicKey, sign as signWith, verify as verifyWith } from 'node:crypto'
import { type GossipPort, Presence } from '../../../client/network/discovery/presence.ts'
import type { Ruling } from '../../../client/network/discovery/rumours.ts'
import { serveCatalog } from '../../../client/network/discovery/server.ts'
import type { ByteStream, Link } from '../../../client/network/host.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import type { Verify } from '../../../client/primitives/ed25519.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { hash } from '../../../wasm/core.ts'
import { keyOf } from '../chain.ts'
import { streamPair, type World } from '../world.ts'
import { publicOf } from './peers.ts'

// Nodes that gossip and ask each other without a socket: links are there or not, messages take their time, all of it from one seed.

const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** Node's own check, at once: WebCrypto's would take time that the world does not see, and no run would be like the one before. */
const verify: Verify = async (signature, message, key) => {
  try {
    const spki = createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' })
    return verifyWith(null, message, spki, signature)
  } catch {
    return false
  }
}

/** How gossip goes: to neighbours, each message once. What gossipsub does besides is its own affair. */
class Radio implements GossipPort {
  readonly name: string
  readonly mesh: Mesh
  #judge: ((data: Bytes, source: Bytes) => Promise<Ruling>) | null = null
  readonly #seen = new Set<string>()
  readonly rulings: { ruling: Ruling; from: string }[] = []

  constructor(mesh: Mesh, name: string) {
    this.mesh = mesh
    this.name = name
  }

  join(judge: (data: Bytes, source: Bytes) => Promise<Ruling>): void {
    this.#judge = judge
  }

  async publish(data: Bytes): Promise<number> {
    this.#seen.add(toHex(hash(data)))
    return this.#send(data, '')
  }

  async hear(data: Bytes, from: string): Promise<void> {
    const id = toHex(hash(data))
    if (this.#seen.has(id) || this.#judge === null || !this.mesh.isUp(this.name)) return
    this.#seen.add(id)
    const ruling = await this.#judge(data, keyOf(from).public)
    this.rulings.push({ ruling, from })
    if (ruling === 'accept') this.#send(data, from)
  }

  #send(data: Bytes, except: string): number {
    const to = this.mesh.neighbours(this.name).filter((name) => name !== except)
    for (const name of to) this.mesh.deliver(name, data, this.name)
    return to.length
  }
}

interface Node {
  readonly radio: Radio
  readonly presence: Presence | null
  readonly links: Map<string, Link & { readonly end: () => void }>
  readonly tell: () => void
  readonly addresses: string[]
}

export class Mesh {
  readonly world: World
  readonly #random: () => number
  readonly #edges: readonly (readonly [string, string])[]
  readonly #nodes = new Map<string, Node>()
  readonly #handlers = new Map<string, ReturnType<typeof serveCatalog>>()
  #isCut: (a: string, b: string) => boolean = () => false

  constructor(world: World, random: () => number, edges: readonly (readonly [string, string])[]) {
    this.world = world
    this.#random = random
    this.#edges = edges
  }

  isUp(name: string): boolean {
    return this.#nodes.has(name)
  }

  presence(name: string): Presence {
    return this.#nodes.get(name)?.presence as Presence
  }

  radio(name: string): Radio {
    return this.#nodes.get(name)?.radio as Radio
  }

  /** Who is there and says so. */
  get names(): readonly string[] {
    return [...this.#nodes].flatMap(([name, { presence }]) => (presence === null ? [] : name)).toSorted()
  }

  neighbours(name: string): readonly string[] {
    return this.#edges
      .flatMap(([a, b]) => (a === name ? [b] : b === name ? [a] : []))
      .filter((other) => this.isUp(other) && this.isUp(name) && !this.#isCut(name, other))
  }

  deliver(to: string, data: Bytes, from: string): void {
    this.world.host().after(5 + this.#random() * 95, () => {
      if (!this.#isCut(from, to)) void this.#nodes.get(to)?.radio.hear(data, from)
    })
  }

  start(name: string, port = 4_001): void {
    const host = this.world.host({ verify })
    const listeners = new Set<() => void>()
    const links: Node['links'] = new Map()
    const radio = new Radio(this, name)
    const addresses = [publicOf(name, port)]
    const presence = new Presence({
      host,
      network: UNIVERSE,
      peer: keyOf(name).public,
      sign: (message) => new Uint8Array(signWith(null, message, keyOf(name).secret)),
      gossip: radio,
      links: {
        get open() {
          return [...links.values()]
        },
        onChange: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      addresses: () => addresses,
      committees: [],
    })
    const { catalog, heads } = presence
    this.#handlers.set(name, serveCatalog({ network: UNIVERSE, catalog, heads, host }))
    const tell = (): void => {
      for (const listener of listeners) listener()
    }
    this.#nodes.set(name, { radio, presence, links, tell, addresses })
    this.#relink()
  }

  /** A node that answers nobody and says what it likes. */
  startLiar(name: string): Radio {
    const radio = new Radio(this, name)
    radio.join(async () => 'ignore')
    this.#nodes.set(name, { radio, presence: null, links: new Map(), tell: () => {}, addresses: [] })
    this.#relink()
    return radio
  }

  /** It says goodbye, or it is only gone. */
  async stop(name: string, isPolite: boolean): Promise<void> {
    const node = this.#nodes.get(name)
    if (!isPolite) this.#nodes.delete(name)
    await node?.presence?.[Symbol.asyncDispose]()
    this.#nodes.delete(name)
    this.#relink()
  }

  move(name: string, port: number): void {
    this.#nodes.get(name)?.addresses.splice(0, 1, publicOf(name, port))
  }

  /** From now on nothing passes between those of whom `isCut` says so. */
  part(isCut: (a: string, b: string) => boolean): void {
    this.#isCut = isCut
    this.#relink()
  }

  #relink(): void {
    for (const [name, { links, tell }] of this.#nodes) {
      const wanted = this.neighbours(name).filter((other) => this.#handlers.has(other) && this.#nodes.get(other)?.presence)
      for (const [other, link] of links) if (!wanted.includes(other)) link.end()
      const fresh = wanted.filter((other) => !links.has(other))
      for (const other of fresh)
        links.set(
          other,
          this.#link(name, other, () => links.delete(other)),
        )
      if (fresh.length > 0) tell()
    }
  }

  #link(from: string, to: string, gone: () => void): Link & { readonly end: () => void } {
    const closed = new AbortController()
    const open = new Set<ByteStream>()
    const end = (): void => {
      gone()
      for (const stream of open) stream.abort(new Error('the link broke'))
      closed.abort(new Error('the link broke'))
    }
    return {
      peer: keyOf(to).public,
      address: publicOf(to),
      bytes: { received: 0, sent: 0 },
      closed: closed.signal,
      close: async () => end(),
      end,
      stream: async () => {
        const { client, server } = streamPair()
        open.add(client)
        void this.#handlers
          .get(to)?.(server, keyOf(from).public)
          .finally(() => open.delete(client))
        return client
      },
    }
  }
}
