import { VerifiedBadge } from './badge.ts'
import { RefundList } from './list.ts'

// `coalition-client/elements`: importing it in a page defines both elements. On a server it does nothing, and the tags render empty.

export { RefundList, VerifiedBadge }

if (typeof customElements !== 'undefined') {
  if (customElements.get('verified-badge') === undefined) customElements.define('verified-badge', VerifiedBadge)
  if (customElements.get('refund-list') === undefined) customElements.define('refund-list', RefundList)
}
