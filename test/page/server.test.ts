import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { RefundsProvider, useRefunds, useVerified } from '../../client/page/react/index.ts'

const Both = () => createElement('p', {}, `${useVerified(null).state.state} ${String(useRefunds('0x00').answer)}`)

describe('on a server', () => {
  it('hooks render the empty state', () => {
    expect(renderToString(createElement(RefundsProvider, { handle: null }, createElement(Both)))).toBe('<p>connecting null</p>')
  })

  it('elements are imported and define nothing', async () => {
    const { RefundList, VerifiedBadge } = await import('../../client/page/elements/index.ts')
    expect([typeof RefundList, typeof VerifiedBadge, typeof customElements]).toEqual(['function', 'function', 'undefined'])
  })
})
