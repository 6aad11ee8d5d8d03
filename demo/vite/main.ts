import 'coalition-client/elements'

// All there is to write: the element connects by itself, verifies in a Worker, and follows the log.
const list = document.querySelector('refund-list')
document.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault()
  const address = new FormData(event.currentTarget as HTMLFormElement).get('address')
  list?.setAttribute('address', String(address))
})
list?.addEventListener('refunds', (event) => console.info('verified', (event as CustomEvent).detail))
