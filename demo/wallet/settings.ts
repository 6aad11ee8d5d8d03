/** What a person may choose here. It stays in this browser. */
export interface Settings {
  /** Where a block is looked at: an address with `{block}` or `{hash}` in it, or nothing for no link. */
  readonly explorer: string | null
  readonly scheme: 'auto' | 'light' | 'dark'
  /** What members are dialled over, from the next start of the page on; null for whatever works best. */
  readonly transports: readonly Transport[] | null
}

/** Transports that a browser can dial, best first. */
export const TRANSPORTS = ['webtransport', 'webrtc-direct', 'wss', 'ws'] as const
export type Transport = (typeof TRANSPORTS)[number]

const KEY = 'coalition.wallet'
const LONGEST = 512
const DEFAULTS: Settings = { explorer: null, scheme: 'auto', transports: null }

/** Explorers of chains that have a known one; a devnet has none. */
const EXPLORERS: Readonly<Record<string, string>> = {
  '1': 'https://etherscan.io/block/{block}',
  '130': 'https://uniscan.xyz/block/{block}',
  '11155111': 'https://sepolia.etherscan.io/block/{block}',
}

/** The settings of this browser; the defaults where nothing can be kept, or something else wrote there. */
export const loadSettings = (): Settings => {
  try {
    const { explorer, scheme, transports } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>
    return {
      explorer: typeof explorer === 'string' && explorerProblem(explorer) === null ? explorer : DEFAULTS.explorer,
      scheme: scheme === 'light' || scheme === 'dark' ? scheme : DEFAULTS.scheme,
      transports: Array.isArray(transports) ? known(transports) : DEFAULTS.transports,
    }
  } catch {
    return DEFAULTS
  }
}

/** Those of the names that are transports, or null for none of them: a page that may dial nothing shows nothing. */
const known = (names: readonly unknown[]): readonly Transport[] | null => {
  const chosen = TRANSPORTS.filter((name) => names.includes(name))
  return chosen.length === 0 ? null : chosen
}

/** What members are dialled over: `?transports=ws,webrtc-direct` in the page's address, for this once, or what was chosen. */
export const transportsOf = ({ transports }: Settings, search: string): readonly Transport[] | null =>
  known(new URLSearchParams(search).get('transports')?.split(',') ?? []) ?? transports

/** Keeps them. False where this browser keeps nothing, as in some private modes: they hold until the page is closed. */
export const saveSettings = (settings: Settings): boolean => {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings))
    return true
  } catch {
    return false
  }
}

/** What is wrong with an explorer's address, or null. Other schemes than http(s) would run as script where a link should lead. */
export const explorerProblem = (text: string): string | null => {
  if (text === '') return null
  if (text.length > LONGEST) return `has ${text.length} characters, at most ${LONGEST}`
  if (!/\{block\}|\{hash\}/.test(text)) return 'needs {block} or {hash} where the number or the hash goes'
  if (!URL.canParse(text)) return 'is not an address of the web'
  return ['https:', 'http:'].includes(new URL(text).protocol) ? null : 'must begin with https:// or http://'
}

/** The link to a block, or null where there is no explorer. */
export const blockLink = ({ explorer }: Settings, chainId: bigint, slot: bigint, hash: string): string | null => {
  const template = explorer ?? EXPLORERS[chainId.toString()] ?? ''
  return template === '' ? null : template.replaceAll('{block}', slot.toString()).replaceAll('{hash}', hash)
}

let current: Settings | null = null
const listeners = new Set<() => void>()

export const settings = (): Settings => {
  current ??= loadSettings()
  return current
}

/** Takes new settings into use, and keeps them if this browser does. */
export const changeSettings = (change: Partial<Settings>): boolean => {
  current = { ...settings(), ...change }
  for (const changed of listeners) changed()
  return saveSettings(current)
}

/** Calls `changed` with every change; the returned function stops it. */
export const onSettings = (changed: () => void): (() => void) => {
  listeners.add(changed)
  return () => void listeners.delete(changed)
}
