import { createElement, StrictMode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as Tally from '../../client/lattice/tally/index.ts'
import { RefundsProvider, useRefunds, useVerified } from '../../client/page/react/index.ts'
import { attribution, MINE, told } from './refunds.ts'

const Newest = ({ handle }: { readonly handle: Tally.Refunds | null }) => {
  const { answer, state } = useVerified(handle)
  const refund = answer?.value
  return createElement('p', {}, `${state.state} ${refund?.kind === 'attribution' ? refund.slot : 'none'}`)
}
const Mine = ({ address }: { readonly address: string | null }) => {
  const { answer, problem } = useRefunds(address)
  return createElement('p', {}, problem?.message ?? `${answer === null ? 'unknown' : Tally.standing(answer.value).length}`)
}

let root: Root
beforeEach(() => {
  root = createRoot(document.body.appendChild(document.createElement('div')))
})
afterEach(() => {
  root.unmount()
  document.body.replaceChildren()
})
const text = (): string => document.querySelector('p')?.textContent ?? ''

describe('useVerified', () => {
  it('shows the newest item, mounted twice as strict mode does, and ends with the component', async () => {
    const source = told([attribution(5n, 1n)])
    root.render(createElement(StrictMode, {}, createElement(Newest, { handle: source.handle })))
    await expect.poll(text).toBe('live 5')
    expect(source.open()).toBe(1)
    source.add(attribution(6n, 1n))
    await expect.poll(text).toBe('live 6')
    root.render(createElement(Newest, { handle: null }))
    await expect.poll(text).toBe('connecting none')
    await expect.poll(source.open).toBe(0)
  })
})

describe('useRefunds', () => {
  it('takes the handle of its provider, and nothing without one', async () => {
    const source = told([attribution(5n, 1n), attribution(6n, 1n)])
    root.render(createElement(RefundsProvider, { handle: null }, createElement(Mine, { address: MINE })))
    await expect.poll(text).toBe('unknown')
    root.render(createElement(RefundsProvider, { handle: source.handle }, createElement(Mine, { address: MINE })))
    await expect.poll(text).toBe('2')
    source.fail(new Error('nobody is left'))
    source.add(attribution(7n, 1n))
    await expect.poll(text).toBe('nobody is left')
  })
})
