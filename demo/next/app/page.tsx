import { connection } from 'next/server'
import { Refunds } from './refunds'

const Page = async () => {
  // Rendered for each visit: the policy's nonce is new each time.
  await connection()
  return (
    <main>
      <h1>Refunds of an address</h1>
      <Refunds />
    </main>
  )
}

export default Page
