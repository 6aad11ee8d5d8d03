import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import type { Verify } from '../primitives/ed25519.ts'
import { type Command, commandCodec, commandMessage } from './block.ts'
import type { Identity } from './execution.ts'
import type { Machine } from './machine.ts'

interface Admitted<C> {
  readonly command: Command
  readonly encoded: Bytes
  readonly decoded: Promise<C>
}

/** Most commands whose admission is remembered: all that may wait, and those of some blocks beside them. */
const MOST = 32_768

/**
 * Decodes and checks each command once, wherever it comes from: a client, another member's pool, a proposal, a catch-up. What `admit`
 * found does not depend on the log, so it holds for every branch.
 */
export class Admission<S, C> {
  readonly #machine: Machine<S, C>
  readonly #identity: Identity
  readonly #verify: Verify
  readonly #known = new Map<string, Admitted<C>>()
  readonly #decoded = new WeakMap<Command, C>()

  constructor(machine: Machine<S, C>, identity: Identity, verify: Verify) {
    this.#machine = machine
    this.#identity = identity
    this.#verify = verify
  }

  /**
   * The command, or the same one as it was admitted before.
   * @throws AuthorError, DecodeError, or what the machine's `admit` throws
   */
  async admit(command: Command): Promise<Command> {
    const id = toHex(command.id)
    const encoded = encode(commandCodec, command)
    const known = this.#known.get(id)
    if (known !== undefined && equal(known.encoded, encoded)) {
      await known.decoded
      return known.command
    }
    const decoded = this.#check(command)
    this.#remember(id, { command, encoded, decoded })
    try {
      this.#decoded.set(command, await decoded)
    } catch (error) {
      if (this.#known.get(id)?.decoded === decoded) this.#known.delete(id)
      throw error
    }
    return command
  }

  /** All of a block's, side by side. @throws as `admit`, for the first that fails */
  admitAll(commands: readonly Command[]): Promise<readonly Command[]> {
    return Promise.all(commands.map((command) => this.admit(command)))
  }

  /** The machine's command in an admitted one. */
  decoded(command: Command): C {
    return this.#decoded.get(command) as C
  }

  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#known.delete(id)
  }

  #remember(id: string, admitted: Admitted<C>): void {
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < MOST) break
      this.#known.delete(oldest)
    }
    this.#known.set(id, admitted)
  }

  async #check(command: Command): Promise<C> {
    const { network, group } = this.#identity
    const { author, body } = command
    if (author !== null && !(await this.#verify(author.signature, commandMessage(network, group, command), author.peer)))
      throw new AuthorError(toHex(author.peer))
    const decoded = decode(this.#machine.command, body.value)
    await this.#machine.admit(decoded, { ...this.#identity, verify: this.#verify })
    return decoded
  }
}

/** A command that its author did not sign. */
export class AuthorError extends CoalitionError {
  constructor(peer: string) {
    super('Group.AuthorError', `command refused: the signature of its author ${peer} does not hold`, { peer })
  }
}
