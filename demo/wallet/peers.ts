import { html, nothing, type TemplateResult } from 'lit'
import type { PeerReport } from '../../client/page/index.ts'
import { bytes, short } from './format.ts'

/** What a seat of a TDX-gated committee counts for. */
const ticketOf = (ticket: NonNullable<PeerReport['ticket']>): TemplateResult =>
  ticket.isAttested
    ? html`<span class="ticket">in a TD that was measured <code title=${ticket.mrTd ?? ''}>${short(ticket.mrTd ?? '')}</code></span>`
    : html`<span class="ticket problem">does not count: ${ticket.problem}</span>`

/** What a person calls a transport. */
const NAMES: Readonly<Record<NonNullable<PeerReport['transport']>, string>> = {
  webtransport: 'WebTransport',
  'webrtc-direct': 'WebRTC',
  wss: 'WebSocket, TLS',
  ws: 'WebSocket',
  tcp: 'TCP',
}

const row = (peer: PeerReport): TemplateResult => {
  const { address, operator, connected, transport, rttMs, head, problem, ticket } = peer
  const { received, sent } = peer.bytes
  return html`
    <tr class=${connected ? 'on' : 'off'}>
      <th scope="row">
        ${operator ?? 'mirror'} <code title=${peer.peer}>${short(peer.peer)}</code>${ticket === null ? nothing : ticketOf(ticket)}
      </th>
      <td>${connected && transport !== null ? html`<span title=${address}>${NAMES[transport]}</span>` : 'not connected'}</td>
      <td class="number">${connected && rttMs !== null ? `${rttMs} ms` : '–'}</td>
      <td class="number">${connected ? `${bytes(received)} in, ${bytes(sent)} out` : '–'}</td>
      <td class="number">${head ?? '–'}</td>
      <td>${problem ?? '–'}</td>
    </tr>
  `
}

/** Each member and mirror: how it is reached, how far away it is, what it sent and showed, and what is wrong with it. */
export const peersTable = (peers: readonly PeerReport[]): TemplateResult => html`
  <div class="wide" tabindex="0" role="group" aria-label="Connections">
    <table class="peers">
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Reached over</th>
          <th scope="col">Round trip</th>
          <th scope="col">Data</th>
          <th scope="col">Shows commit</th>
          <th scope="col">Problem</th>
        </tr>
      </thead>
      <tbody>
        ${peers.map(row)}
      </tbody>
    </table>
  </div>
`
