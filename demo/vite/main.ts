import 'coalition-client/elements'

// All there is to write: the element connects by itself, verifies in a Worker, and follows the log.
const list = document.querySelector('refund-list')
const input = document.querySelector('input')
document.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault()
  list?.setAttribute('address', input?.value ?? '')
})
list?.addEventListener('refunds', (event) => console.info('verified', (event as CustomEvent).detail))
