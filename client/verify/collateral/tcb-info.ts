import type { Bytes } from '../../primitives/bytes.ts'
import { items, type Json, member, optional, ParseError, text } from '../../primitives/json-value.ts'
import { date, hex, integer, type Standing, type SvnLevel, sorted, standing, svnLevels } from './fields.ts'

export type { SvnLevel } from './fields.ts'

/** A TCB level: the SVNs that a platform must have, each at least, to stand on it. */
export interface TcbLevel extends Standing {
  /** SVNs of the 16 SGX components; one past 255 is met by no platform. */
  readonly sgx: readonly number[]
  readonly pcesvn: number
  /** SVNs of the 16 TDX components; null in the TCB info of SGX. */
  readonly tdx: readonly number[] | null
}

/** What a TDX module must be. */
export interface TdxModule {
  /** 48 bytes. */
  readonly mrsigner: Bytes
  /** 8 bytes. */
  readonly attributes: Bytes
  /** 8 bytes. */
  readonly attributesMask: Bytes
}

export interface TdxModuleIdentity extends TdxModule {
  /** `TDX_01`, in upper case whatever the document has. */
  readonly id: string
  /** The highest SVN first. */
  readonly levels: readonly SvnLevel[]
}

/** Intel's TCB info of an FMSPC: version 3, or of SGX also version 2. Times are unix seconds. */
export interface TcbInfo {
  readonly id: 'SGX' | 'TDX'
  readonly version: 2 | 3
  readonly issueDate: number
  /** Valid up to and with this second. */
  readonly nextUpdate: number
  /** tcbEvaluationDataNumber */
  readonly evaluation: number
  /** 6 bytes. */
  readonly fmspc: Bytes
  /** 2 bytes. */
  readonly pceId: Bytes
  /** Sorted as Intel's reference sorts them, the highest first: by SGX components, then PCESVN, then TDX components. */
  readonly levels: readonly TcbLevel[]
  /** The module of major version 0; null in the TCB info of SGX. */
  readonly tdxModule: TdxModule | null
  /** The modules of later major versions, each once. */
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[]
}

const COMPONENTS = 16

// A platform's SVN is a byte. A larger number, as Intel's own TDX sample has them, stays as it is: no platform reaches such a level. Intel's
// reference cuts it to its low byte, and 256 would be met by everybody.
const MAX_SVN = 0xffff

/**
 * Reads a TCB info. Fields that this version does not know are left alone, as Intel adds them within a version.
 *
 * @throws ParseError naming the field
 * @see TDX.md sections 5, 7 and 8
 */
export const readTcbInfo = (json: Json): TcbInfo => {
  const version = integer(member(json, 'version'), 0xffff)
  if (version !== 2 && version !== 3) throw new ParseError(`${json.path}.version`, `expected 2 or 3, found ${version}`)
  const id = idOf(json, version)
  // Type 0 is the rule by which components are compared here; of another type nobody knows what its SVNs mean.
  integer(member(json, 'tcbType'), 0)
  const levels = member(json, 'tcbLevels')
  return {
    id,
    version,
    issueDate: date(member(json, 'issueDate')),
    nextUpdate: date(member(json, 'nextUpdate')),
    evaluation: integer(member(json, 'tcbEvaluationDataNumber'), 0xffff_ffff),
    fmspc: hex(member(json, 'fmspc'), 6),
    pceId: hex(member(json, 'pceId'), 2),
    levels: sorted(levels.path, items(levels, version === 2 ? oldLevel : id === 'TDX' ? tdxLevel : sgxLevel), descending),
    tdxModule: id === 'TDX' ? moduleOf(member(json, 'tdxModule')) : null,
    tdxModuleIdentities: id === 'TDX' ? identities(optional(json, 'tdxModuleIdentities')) : [],
  }
}

/** Version 2 is from before TDX and has no id. */
const idOf = (json: Json, version: 2 | 3): TcbInfo['id'] => {
  const id = version === 2 ? 'SGX' : text(member(json, 'id'))
  if (id !== 'SGX' && id !== 'TDX') throw new ParseError(`${json.path}.id`, `expected SGX or TDX, found ${JSON.stringify(id.slice(0, 64))}`)
  return id
}

const oldLevel = (level: Json): TcbLevel => {
  const tcb = member(level, 'tcb')
  const sgx = Array.from({ length: COMPONENTS }, (_, i) => integer(member(tcb, `sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`), MAX_SVN))
  return { sgx, pcesvn: pcesvn(tcb), tdx: null, ...standing(level) }
}

const sgxLevel = (level: Json): TcbLevel => {
  const tcb = member(level, 'tcb')
  return { sgx: components(member(tcb, 'sgxtcbcomponents')), pcesvn: pcesvn(tcb), tdx: null, ...standing(level) }
}

const tdxLevel = (level: Json): TcbLevel => {
  const tdx = components(member(member(level, 'tcb'), 'tdxtcbcomponents'))
  return { ...sgxLevel(level), tdx }
}

const pcesvn = (tcb: Json): number => integer(member(tcb, 'pcesvn'), 0xffff)

/** Exactly 16: a shorter list, compared as far as it goes, would let a platform through that is short in the rest (GHSA-6q6c-vvf9-fj3w). */
const components = (json: Json): readonly number[] => {
  const svns = items(json, (component) => integer(member(component, 'svn'), MAX_SVN))
  if (svns.length !== COMPONENTS) throw new ParseError(json.path, `expected ${COMPONENTS} components, found ${svns.length}`)
  return svns
}

const moduleOf = (json: Json): TdxModule => ({
  mrsigner: hex(member(json, 'mrsigner'), 48),
  attributes: hex(member(json, 'attributes'), 8),
  attributesMask: hex(member(json, 'attributesMask'), 8),
})

const identities = (json: Json | undefined): readonly TdxModuleIdentity[] => {
  if (json === undefined) return []
  const found = new Set<string>()
  return items(json, (identity) => {
    // Intel's reference compares without regard to case.
    const id = text(member(identity, 'id')).toUpperCase()
    if (found.has(id)) throw new ParseError(`${identity.path}.id`, 'stands twice')
    found.add(id)
    return { id, ...moduleOf(identity), levels: svnLevels(member(identity, 'tcbLevels')) }
  })
}

const descending = (a: TcbLevel, b: TcbLevel): number =>
  byComponent(a.sgx, b.sgx) || b.pcesvn - a.pcesvn || byComponent(a.tdx ?? [], b.tdx ?? [])

const byComponent = (a: readonly number[], b: readonly number[]): number => {
  for (let i = 0; i < a.length; i++) {
    const difference = (b[i] as number) - (a[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}
