// A reader of quotes that shares nothing with the one in wasm/: a DataView, and the fields one after another as Intel's headers declare them.

type Bytes = Uint8Array<ArrayBuffer>
type Fields = Readonly<Record<string, unknown>>
type Layout = readonly (readonly [name: string, size: number])[]

const layout = (text: string): Layout =>
  text.split(' ').map((each) => {
    const [name = '', size] = each.split(':')
    return [name, Number(size)]
  })

// sgx_report_body_t; then sgx_report2_body_t, what its version 1.5 adds, and its extension. 1, 2 and 4 bytes are numbers.
const SGX = layout(
  'cpuSvn:16 miscSelect:4 reserved1:12 isvExtProdId:16 attributes:16 mrEnclave:32 reserved2:32 mrSigner:32 reserved3:32 configId:64 ' +
    'isvProdId:2 isvSvn:2 configSvn:2 reserved4:42 isvFamilyId:16 reportData:64',
)
const TD10 = layout(
  'teeTcbSvn:16 mrSeam:48 mrSignerSeam:48 seamAttributes:8 tdAttributes:8 xfam:8 mrTd:48 mrConfigId:48 mrOwner:48 mrOwnerConfig:48 ' +
    'rtmr0:48 rtmr1:48 rtmr2:48 rtmr3:48 reportData:64',
)
const TD15 = [...TD10, ...layout('teeTcbSvn2:16 mrServiceTd:48')]
const EXTENDED = [
  ...TD15,
  ...layout(
    'vmId:1 tdId:32 devInfo:48 initServiceTdHash:48 initServiceTdAttributes:8 initCpuSvn:16 initTeeTcbSvn:16 initTeeFmspc:12 ' +
      'currentServiceTdHash:48 currentServiceTdAttributes:8',
  ),
]
const BODIES = [['sgx', SGX] as const, ['td10', TD10] as const, ['td15', TD15] as const, ['td15ex', EXTENDED] as const]

/** Reads a quote that is one: it checks nothing. */
export const readIndependently = (bytes: Bytes): Fields => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const pass = (size: number): number => {
    at += size
    return at - size
  }
  const take = (size: number): Bytes => bytes.slice(pass(size), at)
  const u8 = (): number => view.getUint8(pass(1))
  const u16 = (): number => view.getUint16(pass(2), true)
  const u32 = (): number => view.getUint32(pass(4), true)
  const numbers: Readonly<Record<number, () => number>> = { 1: u8, 2: u16, 4: u32 }
  const report = (type: number): Fields => {
    const [kind, parts] = BODIES[type - 1] as (typeof BODIES)[number]
    const from = at
    const fields = parts.map(([name, size]) => [name, numbers[size]?.() ?? take(size)] as const)
    return { kind, bytes: bytes.slice(from, at), ...Object.fromEntries(fields) }
  }

  const version = u16()
  const [, tee] = [u16(), u32()]
  const [qeSvn, pceSvn] = [u16(), u16()]
  take(16)
  const header = { version, teeType: tee === 0 ? 'sgx' : 'tdx', qeSvn, pceSvn, userData: take(20) }
  const type = version === 5 ? u16() : tee === 0 ? 1 : 2
  if (version === 5) u32()
  const body = report(type)
  const signed = bytes.slice(0, at)
  const size = u32()
  const end = at + size
  const [value, attestationKey] = [take(64), take(64)]
  if (version > 3) take(6)
  const [qeReport, qeSignature, qeAuthData] = [report(1), take(64), take(u16())]
  const pck = { type: u16(), data: take(u32()) }
  const certification = { qeReport, qeSignature, qeAuthData, pck }
  return { header, body, signed, signature: { value, attestationKey, certification }, trailing: bytes.slice(end) }
}
