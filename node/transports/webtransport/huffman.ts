// The static Huffman code of HPACK (RFC 7541 appendix B), which QPACK takes over (RFC 9204 section 4.1.2).

/**
 * The length of every symbol's code, `a` for 5 bits to `z` for 30: the code is canonical, so that its lengths are all of it. The last is
 * EOS, which never stands in a text.
 */
const LENGTHS =
  'isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhf' +
  'ibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjix' +
  'prpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrs' +
  'vvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwvz'

const EOS = 256
const LONGEST = 30

interface Level {
  /** The first code of this length. */
  readonly first: number
  readonly symbols: readonly number[]
}

const levels = (): readonly Level[] => {
  const found: Level[] = []
  let first = 0
  for (let length = 0; length <= LONGEST; length++) {
    const symbols = [...LENGTHS].flatMap((letter, symbol) => (letter.charCodeAt(0) - 92 === length ? [symbol] : []))
    found.push({ first, symbols })
    first = (first + symbols.length) * 2
  }
  return found
}

const LEVELS = levels()

/**
 * The text that `bytes` stand for, a character a byte, or null: a code for EOS, or an end that is not the beginning of EOS, of at most
 * 7 bits (RFC 7541 section 5.2), is refused so that a text has one form.
 */
export const readHuffman = (bytes: Uint8Array): string | null => {
  let text = ''
  let code = 0
  let length = 0
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      length += 1
      const level = LEVELS[length]
      if (level === undefined) return null
      const symbol = level.symbols[code - level.first]
      if (symbol === undefined) continue
      if (symbol === EOS) return null
      text += String.fromCharCode(symbol)
      code = 0
      length = 0
    }
  return length < 8 && code === 2 ** length - 1 ? text : null
}
