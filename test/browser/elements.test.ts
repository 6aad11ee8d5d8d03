import { afterEach, describe, expect, it } from 'vitest'
import { RefundList, VerifiedBadge } from '../../client/page/elements/index.ts'
import { attribution, MINE, old, reversal, sound, told } from './refunds.ts'

const ETHER = 10n ** 18n

afterEach(() => document.body.replaceChildren())

const placed = <E extends HTMLElement>(element: E): E => {
  document.body.append(element)
  return element
}
const textOf = (element: HTMLElement): string => element.shadowRoot?.textContent ?? ''

describe('<verified-badge>', () => {
  it('is grey until it has a verdict, and says so', () => {
    const badge = placed(document.createElement('verified-badge')) as VerifiedBadge
    expect(badge).toBeInstanceOf(VerifiedBadge)
    expect(badge.hasAttribute('state')).toBe(false)
    expect(badge.shadowRoot?.querySelector('summary')?.getAttribute('aria-label')).toBe('not checked yet: show the checks')
    expect(badge.shadowRoot?.querySelectorAll('.light')).toHaveLength(3)
  })

  it('opens into every check, with what was expected of one that failed', () => {
    const badge = placed(new VerifiedBadge())
    badge.verdict = sound
    expect(badge.getAttribute('state')).toBe('green')
    expect(textOf(badge)).toContain('3 of 4 signed')
    badge.shadowRoot?.querySelector<HTMLElement>('summary')?.click()
    badge.verdict = old
    expect(badge.getAttribute('state')).toBe('red')
    expect(textOf(badge)).toContain('failed: expected as expected, found 90 s')
    expect(badge.shadowRoot?.querySelector('details')?.open).toBe(true)
    badge.verdict = null
    expect(badge.hasAttribute('state')).toBe(false)
  })
})

describe('<refund-list>', () => {
  const list = (address: string | null, handle: ReturnType<typeof told>): RefundList => {
    const made = new RefundList()
    if (address !== null) made.setAttribute('address', address)
    made.handle = handle.handle
    return placed(made)
  }

  it('shows what an address was given, exactly, and leaves out of the sum what was taken back', async () => {
    const source = told([attribution(5n, ETHER + 1n), attribution(6n, 2n * ETHER), reversal(6n)])
    const element = list(MINE, source)
    await expect.poll(() => textOf(element)).toContain('1.000000000000000001 ETH')
    expect(element.shadowRoot?.querySelector('[part=total]')?.textContent).toBe('1.000000000000000001 ETH ')
    expect(element.shadowRoot?.querySelectorAll('li.reversed')).toHaveLength(1)
    expect(element.shadowRoot?.querySelector('li.reversed')?.textContent).toContain('taken back')
    expect(element.shadowRoot?.querySelector<VerifiedBadge>('verified-badge')?.verdict).toEqual(sound)
  })

  it('follows the log, asks again only for its own address, and stops when it is taken out', async () => {
    const source = told([])
    const element = list(MINE, source)
    await expect.poll(() => textOf(element)).toContain('No refund names this address')
    const asked = source.asked()
    source.add(attribution(7n, ETHER, new Uint8Array(20)))
    source.add(attribution(8n, ETHER))
    await expect.poll(() => textOf(element)).toContain('block 8')
    expect(source.asked()).toBe(asked + 1)
    element.remove()
    expect(source.open()).toBe(0)
  })

  it('is not drawn while nobody can see it, and once when somebody can; scripts are told at once', async () => {
    const source = told([attribution(5n, ETHER)])
    const element = list(MINE, source)
    await expect.poll(() => textOf(element)).toContain('block 5')
    let [drawn, refunds] = [0, 0]
    new MutationObserver(() => void drawn++).observe(element.shadowRoot as ShadowRoot, { childList: true })
    element.addEventListener('refunds', (event) => {
      refunds = (event as CustomEvent<{ readonly value: readonly unknown[] }>).detail.value.length
    })
    Object.defineProperty(document, 'hidden', { configurable: true, value: true })
    try {
      source.add(attribution(6n, ETHER))
      source.add(attribution(7n, ETHER))
      await expect.poll(() => refunds).toBe(3)
      expect([drawn, textOf(element).includes('block 6')]).toEqual([0, false])
    } finally {
      Reflect.deleteProperty(document, 'hidden')
    }
    document.dispatchEvent(new Event('visibilitychange'))
    await expect.poll(() => textOf(element)).toContain('block 7')
    expect(drawn).toBe(1)
  })

  it('keeps what it has when a later question fails, says why, and asks again when the handle is back', async () => {
    const source = told([attribution(5n, ETHER)])
    const element = list(MINE, source)
    await expect.poll(() => textOf(element)).toContain('block 5')
    source.fail(new Error('answer.complete failed'))
    source.add(attribution(6n, ETHER))
    await expect.poll(() => textOf(element)).toContain('answer.complete failed')
    expect(textOf(element)).toContain('block 5')
    source.fail(null)
    source.turn('stale')
    await expect.poll(() => textOf(element)).toContain('stale')
    source.turn('live')
    await expect.poll(() => textOf(element)).toContain('block 6')
    expect(textOf(element)).not.toContain('answer.complete failed')
  })

  it('changes with its address, and shows nothing of the one before', async () => {
    const source = told([attribution(5n, ETHER), attribution(9n, ETHER, new Uint8Array(20).fill(0x22))])
    const element = list(MINE, source)
    await expect.poll(() => textOf(element)).toContain('block 5')
    element.setAttribute('address', `0x${'22'.repeat(20)}`)
    await expect.poll(() => textOf(element)).toContain('block 9')
    expect(textOf(element)).not.toContain('block 5')
    expect(source.open()).toBe(1)
  })

  it('says what is wrong with a lattice file', async () => {
    const element = new RefundList()
    element.setAttribute('address', MINE)
    element.setAttribute('lattice', '/no-such-handshake.json?status')
    placed(element)
    await expect.poll(() => element.shadowRoot?.querySelector('[part=problem]')?.textContent ?? '').not.toBe('')
  })
})
