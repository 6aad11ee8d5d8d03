import * as read from '../primitives/json.ts'
import { LIGHTS } from './checks.ts'
import { type At, type Check, type CheckName, type CheckState, type Verdict, verdict } from './verdict.ts'

/** Bounds of a verdict that somebody wrote down: ours has some fifteen checks of a line each. */
const MOST = { checks: 64, text: 1_024 } as const

const NAMES: readonly string[] = Object.values(LIGHTS).flat()
const STATES: readonly string[] = ['passed', 'failed', 'unproven', 'absent'] satisfies readonly CheckState[]

/**
 * A verdict from JSON: what somebody says was checked. Lights and `ok` are made anew from its checks, so that it cannot contradict itself;
 * whether any of it is true, only the evidence shows.
 *
 * @throws ParseError
 */
export const readVerdict = (json: read.Json): Verdict => {
  const checks = (['integrity', 'authority', 'freshness'] as const).flatMap((light) => {
    const list = read.member(read.member(json, light), 'checks')
    if (Array.isArray(list.value) && list.value.length > MOST.checks)
      throw new read.ParseError(list.path, `more than ${MOST.checks} checks`)
    return read.items(list, readCheck)
  })
  const at = read.optional(json, 'at')
  const [assumes, disclosed] = [text(read.member(json, 'assumes')), text(read.member(json, 'disclosed'))]
  return verdict({ checks, assumes, disclosed, at: at ? readAt(at) : null })
}

const readCheck = (json: read.Json): Check => ({
  name: one(read.member(json, 'name'), NAMES) as CheckName,
  state: one(read.member(json, 'state'), STATES) as CheckState,
  expected: text(read.member(json, 'expected')),
  found: text(read.member(json, 'found')),
  source: text(read.member(json, 'source')),
})

const readAt = (json: read.Json): At => ({
  group: text(read.member(json, 'group')),
  index: text(read.member(json, 'index')),
  commit: text(read.member(json, 'commit')),
  timeMs: Number(read.u64(read.member(json, 'timeMs'))),
})

const one = (json: read.Json, known: readonly string[]): string => {
  const found = text(json)
  if (!known.includes(found)) throw new read.ParseError(json.path, 'is no name that is known here')
  return found
}

const text = (json: read.Json): string => {
  const found = read.text(json)
  if (found.length > MOST.text) throw new read.ParseError(json.path, `longer than ${MOST.text} characters`)
  return found
}
