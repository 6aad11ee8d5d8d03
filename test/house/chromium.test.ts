import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findChromium } from '../../scripts/chromium.mjs'

const VERSION = '#!/bin/sh\necho "Chromium 150.0.0.0"\n'
const BROKEN = '#!/bin/sh\necho "install the package first" >&2\nexit 1\n'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chromium-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** An executable in a folder of its own under the test's folder. */
const program = (place: string, name: string, text = VERSION): string => {
  const path = join(folder, place, name)
  mkdirSync(join(folder, place), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}

interface Rig {
  readonly asked?: string
  readonly own?: string
  readonly installs?: boolean
}

const find = ({ asked, own, installs = false }: Rig = {}) =>
  findChromium({
    env: { PATH: `${join(folder, 'a')}:${join(folder, 'b')}`, CHROMIUM_PATH: asked },
    own: () => Promise.resolve(own ?? null),
    installs,
  })

describe('the search for Chromium', () => {
  it('takes CHROMIUM_PATH before a name on PATH', async () => {
    program('a', 'chromium')
    const asked = program('elsewhere', 'mine')
    expect(await find({ asked })).toBe(asked)
  })

  it('refuses a broken CHROMIUM_PATH, though PATH has a good one', async () => {
    program('a', 'chromium')
    await expect(find({ asked: join(folder, 'absent') })).rejects.toThrow('CHROMIUM_PATH')
    await expect(find({ asked: program('elsewhere', 'mine', BROKEN) })).rejects.toThrow('CHROMIUM_PATH')
  })

  it('passes over a name on PATH that does not answer --version', async () => {
    program('a', 'chromium', BROKEN)
    const second = program('b', 'chromium')
    expect(await find()).toBe(second)
  })

  it('passes over a program that answers, but is no Chromium', async () => {
    program('a', 'chrome', '#!/bin/sh\necho "a music player 1.0"\n')
    await expect(find()).rejects.toThrow('No Chromium')
  })

  it("takes a name on PATH before playwright's own, and that before installing", async () => {
    program('b', 'apt-get', BROKEN)
    const own = program('own', 'chrome')
    expect(await find({ own, installs: true })).toBe(own)
    const named = program('a', 'google-chrome')
    expect(await find({ own, installs: true })).toBe(named)
  })

  it("passes over playwright's own where it is only a path", async () => {
    await expect(find({ own: join(folder, 'absent') })).rejects.toThrow('No Chromium')
  })

  it("installs Debian's package: package lists first, no recommended packages", async () => {
    const log = join(folder, 'log')
    const made = join(folder, 'a', 'chromium')
    mkdirSync(join(folder, 'a'))
    const make = `printf '#!/bin/sh\\necho Chromium 1\\n' > ${made}; /bin/chmod 755 ${made}`
    program('b', 'apt-get', `#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> ${log}\nif [ "$1" = install ]; then ${make}; fi\n`)
    expect(await find({ installs: true })).toBe(made)
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
      'noninteractive update',
      'noninteractive install -y --no-install-recommends chromium',
    ])
  })

  it('says in one line how to get one, where it may not install or the install fails', async () => {
    await expect(find()).rejects.toThrow(/^No Chromium: [^\n]+CHROMIUM_PATH[^\n]+$/)
    program('b', 'apt-get', BROKEN)
    await expect(find({ installs: true })).rejects.toThrow(/^No Chromium/)
  })
})
